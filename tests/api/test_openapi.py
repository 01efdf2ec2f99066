"""The OpenAPI document tells the truth, and enough of it to write a client without reading our code."""

from collections.abc import Iterator
from typing import Any, get_type_hints

import msgspec
import pytest
import schemathesis
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from api.app import create_app
from api.document import REFUSALS, STAFF_TAGS, operation_name
from api.document_examples import BODIES
from exam_engine.infra.files import read_table
from exam_engine.infra.settings import Secret, Settings

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def app() -> Litestar:
    """Only described here, never started: no server stands behind it."""
    return create_app(
        msgspec.structs.replace(
            Settings(),
            secret_key=Secret("long enough, and only for the description"),
            database_url=Secret("postgresql://nobody@127.0.0.1:1/none"),
            redis_url=Secret("redis://127.0.0.1:1/0"),
        )
    )


@pytest.fixture(scope="module")
def document(app: Litestar) -> dict[str, Any]:
    return msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema()))


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method} {path}", item[method]


def documented_handlers(app: Litestar) -> dict[str, HTTPRouteHandler]:
    return {
        operation_name(handler, "GET", ()): handler
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if isinstance(handler, HTTPRouteHandler) and handler.resolve_include_in_schema()
    }


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    schemathesis.openapi.from_dict(document).validate()


def test_every_route_says_what_it_does(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation.get("summary"), name
        assert operation.get("description"), name
        assert len(operation.get("tags", [])) == 1, name
    described = {tag["name"] for tag in document["tags"]}
    assert {tag for _, operation in operations(document) for tag in operation["tags"]} == described


def test_every_operation_id_is_its_tag_and_its_verb_and_stands_once(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids)) > 50
    for _, operation in operations(document):
        assert operation["operationId"].startswith(operation["tags"][0] + "_")
    # Generated clients hang on these names: a changed one is a changed interface.
    assert {"candidate_sign_in", "candidate_save", "staff_me", "exams_create", "sittings_open", "public_result"} <= set(
        ids
    )


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    with_body = {operation["operationId"] for _, operation in operations(document) if "requestBody" in operation}
    assert with_body == set(BODIES)
    for _, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert content["examples"]["example"]["value"] == BODIES[operation["operationId"]]


@pytest.mark.parametrize("name", sorted(name for name in BODIES if "file" not in BODIES[name]))
def test_an_example_is_a_body_its_route_reads(app: Litestar, name: str) -> None:
    kind = get_type_hints(documented_handlers(app)[name].fn)["data"]
    assert isinstance(msgspec.convert(BODIES[name], kind, str_keys=True), kind)


@pytest.mark.parametrize("name", sorted(name for name in BODIES if "file" in BODIES[name]))
def test_an_example_of_a_file_is_a_table(name: str) -> None:
    assert read_table(BODIES[name]["file"].encode(), "table.csv").rows


def test_every_refusal_is_declared_once_as_a_problem(document: dict[str, Any]) -> None:
    declared = document["components"]["responses"]
    assert set(declared) == {name for name, *_ in REFUSALS.values()}
    for answer in declared.values():
        assert set(answer["content"]) == {"application/problem+json"}
        schema = answer["content"]["application/problem+json"]["schema"]
        assert set(schema["required"]) == {"type", "title", "status", "code"}
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert answer == {"$ref": f"#/components/responses/{REFUSALS[int(status)][0]}"}, (name, status)


def test_every_route_names_the_refusals_it_may_give(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        statuses = {int(status) for status in operation["responses"]}
        tag = operation["tags"][0]
        if tag == "health":
            continue
        assert 503 in statuses, name
        if "requestBody" in operation:
            assert {400, 408, 413, 415, 422} <= statuses, name
        else:
            assert 408 not in statuses, name
        if tag in STAFF_TAGS and name.split()[0] != "get":
            assert 403 in statuses, name
        if operation.get("security", [{}])[0]:
            assert statuses & {401, 403}, name
        if "{" in name:
            assert 404 in statuses, name
    limited = {operation["operationId"] for _, operation in operations(document) if "429" in operation["responses"]}
    assert limited == {"candidate_sign_in", "staff_sign_in", "public_result", "public_decision"}


def test_every_route_says_who_may_ask(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        needed = {scheme for requirement in operation.get("security", []) for scheme in requirement}
        assert needed <= set(document["components"]["securitySchemes"]), name
        if operation["tags"][0] in STAFF_TAGS and not name.startswith("get "):
            assert "csrf" in needed, name
        if operation["tags"][0] in STAFF_TAGS - {"staff"}:
            assert "staff" in needed, name
    assert [name for name, operation in operations(document) if "candidate" in operation.get("security", [{}])[0]]


def test_no_candidate_route_documents_a_field_for_a_key(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    def names(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            if "$ref" in part and part["$ref"].startswith("#/components/schemas/"):
                yield from names(schemas[part["$ref"].rpartition("/")[2]])
            yield from part.get("properties", {})
            for inner in part.values():
                yield from names(inner)
        elif isinstance(part, list):
            for inner in part:
                yield from names(inner)

    for name, operation in operations(document):
        if operation["tags"] == ["candidate"]:
            answered = set(names({k: v for k, v in operation["responses"].items() if int(k) < 300}))
            assert not answered & {"key", "keys", "correct", "accepted", "rubric", "explanation", "points"}, name
