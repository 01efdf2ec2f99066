"""The files of the sample province, as they lie in the package."""

import csv
import io
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TypeVar

import msgspec

BANKS = ("toan-12", "tieng-anh-9", "lam-quen")

T = TypeVar("T")


def data_folder() -> Traversable:
    """Where the files lie: banks with their figures, units, people, blueprints, exams, names."""
    return resources.files("exam_engine.sample") / "data"


def read_bytes(name: str) -> bytes:
    """Return a file's content; `name` is a path below the data folder."""
    return data_folder().joinpath(*name.split("/")).read_bytes()


def read_json(name: str, kind: type[T]) -> T:
    """Read a JSON file as a type."""
    return msgspec.json.decode(read_bytes(name), type=kind)


@cache
def read_rows(name: str) -> Sequence[Mapping[str, str]]:
    """Read a CSV file as rows by column name."""
    text = read_bytes(name).decode("utf-8")
    return tuple(csv.DictReader(io.StringIO(text, newline="")))
