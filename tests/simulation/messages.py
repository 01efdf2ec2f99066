"""What travels between the processes: answers, saves, changes, attempts taken back, entries of the stream."""

from typing import Any, NamedTuple

from exam_engine.delivery.model import AttemptFacts, Change, Gate


class Answer(NamedTuple):
    """An answer as Redis keeps it."""

    sequence: int
    client_ms: int
    value: str | None


class Save(NamedTuple):
    """One save of the save script; `truth_ms` and `sender` are what really was, which no rule may look at."""

    attempt: int
    lease: int
    arrival_ms: int
    answers: tuple[tuple[int, Answer], ...]
    truth_ms: int
    sender: str
    gate: Gate | None = None  # as the worker knows it


class Saves(NamedTuple):
    """What one call of the save script kept: an entry tells of an attempt once."""

    saves: tuple[Save, ...]


class Late(NamedTuple):
    """A save that was refused after the start, kept as evidence."""

    save: Save
    refusal: str


class Count(NamedTuple):
    """One refused answer that two people let count."""

    attempt: int
    lease: int
    arrival_ms: int
    slot: int
    answer: Answer
    refusal: str


class Apply(NamedTuple):
    """One change of the apply script."""

    attempt: int
    expected: int
    change: Change
    by: str
    detail: dict[str, Any]
    truth_ms: int  # when it really was decided
    sequences: dict[int, int] | None = None  # of the answers it was computed from, if it asked for them


class Prime(NamedTuple):
    """One attempt of the prime script."""

    attempt: int
    facts: AttemptFacts
    answers: dict[int, Answer]


class Entry(NamedTuple):
    """A stream entry: saves, a late one, a change or a notice."""

    number: int
    body: Any
