"""What travels between the processes: answers, saves, changes, attempts taken back, entries of the stream."""

from typing import Any, NamedTuple

from exam_engine.delivery.model import AttemptFacts, Change


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


class Late(NamedTuple):
    """A save that was refused after the start, kept as evidence."""

    save: Save
    code: int  # of the script's reply


class Count(NamedTuple):
    """One refused answer that two people let count."""

    attempt: int
    lease: int
    arrival_ms: int
    slot: int
    answer: Answer
    code: int  # why it was refused


class Apply(NamedTuple):
    """One change of the apply script."""

    attempt: int
    expected: int
    change: Change
    by: str
    detail: dict[str, Any]
    truth_ms: int  # when it really was decided


class Prime(NamedTuple):
    """One attempt of the prime script."""

    attempt: int
    facts: AttemptFacts
    answers: dict[int, Answer]


class Entry(NamedTuple):
    """A stream entry: a save, a change or a notice."""

    number: int
    body: Any
