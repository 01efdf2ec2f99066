"""Every refusal has its answer over HTTP."""

from collections.abc import Iterator
from importlib import import_module

import pytest

from api.problem_tables import PROBLEMS
from exam_engine.infra.errors import EngineError
from item_bank.errors import ItemBankError
from scoring.errors import ScoringError
from tests.architecture.project import PACKAGES, PROJECT, files


def all_leaves() -> list[type[Exception]]:
    for path in files(".py", under=PACKAGES):
        if path.stem == "errors" or path.parent.name == "errors":
            import_module(".".join(path.relative_to(PROJECT).with_suffix("").parts))
    found = {leaf for base in (EngineError, ItemBankError, ScoringError) for leaf in leaves_of(base)}
    return sorted(found, key=lambda kind: f"{kind.__module__}.{kind.__qualname__}")


def leaves_of(kind: type[Exception]) -> Iterator[type[Exception]]:
    children = kind.__subclasses__()
    if not children:
        yield kind
    for child in children:
        yield from leaves_of(child)


@pytest.mark.parametrize("kind", all_leaves(), ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_a_refusal_is_mapped_to_a_problem(kind: type[Exception]) -> None:
    # A base may answer for its leaves, but the root of a package would hide what nobody thought of.
    answering = [
        base for base in kind.__mro__ if base in PROBLEMS and base not in (EngineError, ItemBankError, ScoringError)
    ]
    assert answering, f"add {kind.__qualname__} to api/problem_tables"


def test_no_two_problems_share_a_code() -> None:
    meaning: dict[str, tuple[int, str]] = {}
    for kind, problem in PROBLEMS.items():
        known = meaning.setdefault(problem.code, (int(problem.status), problem.title))
        assert known == (int(problem.status), problem.title), (
            f"{kind.__qualname__}: {problem.code} means something else already"
        )


def test_rooms_raise_no_status_codes() -> None:
    offenders = [
        str(path.relative_to(PROJECT))
        for path in files(".py", under=("exam_engine", "item_bank", "scoring"))
        if "cli" not in path.parts  # a client of the API reads status codes
        if "HTTPStatus" in path.read_text("utf-8")
    ]
    assert offenders == []
