"""Simulated candidates: how they answer, by an item response model whose true parameters live here alone.

Everything is drawn from generators made of (seed, candidate, slot), so that neither the order of requests nor lost
connections change what a candidate answers.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from exam_engine.infra.randomness import generator
from scoring.keys.values import ClusterKey, Key, OneOptionKey, OptionSetKey, RubricKey, ShortAnswerKey
from scoring.values import ResponseValue

SENTENCES = (
    "Em nghĩ rằng việc đọc sách mỗi ngày giúp mình hiểu người khác hơn.",
    "Ở nhà, em thường giúp bố mẹ nấu cơm và trông em nhỏ.",
    "Buổi chiều, chúng em tập bóng rổ ở sân trường.",
    "Em muốn học thêm tiếng Anh để đọc được tài liệu về khoa học.",
    "Điều em nhớ nhất là lời thầy dặn trước ngày thi.",
)
BLANK_PROBABILITY = 0.02
CHANGE_PROBABILITY = 0.25


class TrueItem(msgspec.Struct, frozen=True):
    """True parameters of one item, on the logit scale."""

    a: float
    b: float
    c: float = 0.0


class Slot(msgspec.Struct, frozen=True):
    """What the simulator knows of a slot: its options from the paper, its key, its true parameters."""

    number: int
    kind: str
    options: tuple[str, ...]
    key: Key
    item: TrueItem


class Step(msgspec.Struct, frozen=True):
    """One act of answering: this value in this slot."""

    slot: int
    value: ResponseValue


def answering_steps(slots: Sequence[Slot], order: Sequence[int], theta: float, seed: int, person: int) -> list[Step]:
    """Return everything a candidate does in the paper, in order: first answers, then changes.

    Parameters
    ----------
    slots : sequence of Slot
        The form's slots.
    order : sequence of int
        Slot numbers in the order of the candidate's paper.
    theta : float
        True ability, logits.
    seed, person : int
        Together with the slot number they fix every draw.
    """
    by_number = {slot.number: slot for slot in slots}
    first: list[Step] = []
    later: list[Step] = []
    for number in order:
        slot = by_number[number]
        rng = generator(seed, person, number)
        if rng.random() < BLANK_PROBABILITY:
            continue
        final = Step(number, respond(slot, theta, rng))
        if rng.random() < CHANGE_PROBABILITY:
            first.append(Step(number, respond(slot, theta - 1.0, rng)))
            later.append(final)
        else:
            first.append(final)
    return first + later


def respond(slot: Slot, theta: float, rng: np.random.Generator) -> ResponseValue:
    """Draw one response; three-parameter logistic, a cluster statement by statement with a guess of one half."""
    match slot.key:
        case OneOptionKey(accepted=accepted):
            return accepted[0] if _knows(slot.item, theta, rng) else _other(slot.options, accepted, rng)
        case OptionSetKey(correct=correct):
            return sorted(correct) if _knows(slot.item, theta, rng) else [_other(slot.options, correct, rng)]
        case ClusterKey(statements=statements):
            return _judge(statements, slot.item, theta, rng)
        case ShortAnswerKey(accepted=accepted):
            return accepted[0] if _knows(slot.item, theta, rng) else _wrong_number(accepted, rng)
        case RubricKey():
            count = int(rng.integers(1, len(SENTENCES) + 1))
            return " ".join(SENTENCES[int(i)] for i in rng.choice(len(SENTENCES), count, replace=False))
        case _:
            return slot.options[0] if slot.options else "0"


def _knows(item: TrueItem, theta: float, rng: np.random.Generator) -> bool:
    probability = item.c + (1.0 - item.c) / (1.0 + np.exp(-item.a * (theta - item.b)))
    return bool(rng.random() < probability)


def _other(options: Sequence[str], right: Sequence[str], rng: np.random.Generator) -> str:
    wrong = [option for option in options if option not in right] or list(options)
    return wrong[int(rng.integers(len(wrong)))]


def _judge(statements: Mapping[str, bool], item: TrueItem, theta: float, rng: np.random.Generator) -> dict[str, bool]:
    half = TrueItem(item.a, item.b, 0.5)
    return {name: truth if _knows(half, theta, rng) else not truth for name, truth in statements.items()}


def _wrong_number(accepted: Sequence[str], rng: np.random.Generator) -> str:
    while True:
        text = str(int(rng.integers(1, 1000)))
        if text not in accepted:
            return text
