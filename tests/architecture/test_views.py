"""What is sent to candidates and the public has no field in which a key, a code or an unpublished thing could stand."""

import re
from collections.abc import Iterator
from typing import Any, get_type_hints

import msgspec
import pytest
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from msgspec import inspect

from api.candidate import CandidateController
from item_bank.forms.paper import CandidateForm

SECRET = re.compile(
    r"(^|_)(key|keys|answer_key|correct|solution|explanation|rubric|model_answer|credit|score|code_version|secret|password|hash_of_key)($|_)"
)

SEALING = {".paper_key", ".seat_key", ".hand_over_key", ".wrapped_key"}  # these open sealed files, never an item


def handlers(controller: type) -> list[HTTPRouteHandler]:
    return [value for value in vars(controller).values() if isinstance(value, HTTPRouteHandler)]


def returned_by(handler: HTTPRouteHandler) -> Any:
    return get_type_hints(handler.fn)["return"]


def fields_within(kind: inspect.Type, path: str = "", seen: frozenset[type] = frozenset()) -> Iterator[tuple[str, str]]:
    """Every field that can be reached, by its path and name; something untyped is a field named `any`."""
    if isinstance(kind, inspect.StructType):
        if kind.cls in seen:
            return
        for field in kind.fields:
            yield f"{path}.{field.encode_name}", field.encode_name
            yield from fields_within(field.type, f"{path}.{field.encode_name}", seen | {kind.cls})
    elif isinstance(kind, inspect.ListType | inspect.VarTupleType | inspect.SetType | inspect.FrozenSetType):
        yield from fields_within(kind.item_type, f"{path}[]", seen)
    elif isinstance(kind, inspect.TupleType):
        for part in kind.item_types:
            yield from fields_within(part, f"{path}[]", seen)
    elif isinstance(kind, inspect.DictType):
        yield from fields_within(kind.value_type, f"{path}{{}}", seen)
    elif isinstance(kind, inspect.UnionType):
        for part in kind.types:
            yield from fields_within(part, path, seen)
    elif isinstance(kind, inspect.AnyType):
        yield path, "any"


@pytest.mark.parametrize("handler", handlers(CandidateController), ids=lambda handler: handler.handler_name)
def test_a_candidate_view_is_typed_to_its_last_field_and_none_is_a_key(handler: HTTPRouteHandler) -> None:
    kind = returned_by(handler)
    if getattr(kind, "__origin__", None) is Response:
        assert kind.__args__ == (bytes,), "only a compiled form is sent as bytes"
        kind = CandidateForm
    if kind in (None, type(None)):
        return
    found = list(fields_within(inspect.type_info(kind)))
    assert [path for path, name in found if SECRET.search(name) and path not in SEALING] == []
    assert [path for path, name in found if name == "any"] == []


def test_the_walk_would_see_a_key() -> None:
    inner = msgspec.defstruct("Inner", [("answer_key", str)])
    leaky = msgspec.defstruct("Leaky", [("items", list[dict[str, inner]])])  # type: ignore[valid-type]
    assert [path for path, name in fields_within(inspect.type_info(leaky)) if SECRET.search(name)] == [
        ".items[]{}.answer_key"
    ]


def test_the_candidates_routes_are_walked_at_all() -> None:
    assert len(handlers(CandidateController)) >= 7
