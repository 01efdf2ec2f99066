"""Answers on their way from a seat's body into the register: checked against the form, and packed."""

from collections.abc import Mapping, Sequence

import msgspec

from exam_engine.delivery.papers import SlotFacts, check_response
from exam_engine.delivery.register import pack_response
from exam_engine.delivery.wire import SaveResponse

LAST_CLIENT_MS = 4_102_444_800_000  # 2100: clocks of seats are recorded, never believed


def pack_answers(slots: Mapping[int, SlotFacts], responses: Sequence[SaveResponse]) -> list[list[tuple[int, bytes]]]:
    """Check and pack all answers of a body, in rounds in which no slot stands twice; nearly always one round.

    Raises
    ------
    UnknownSlot, ResponseInvalid
        Then none of the body is kept.
    """
    rounds: list[dict[int, bytes]] = [{}]
    if len(responses) > 1:
        responses = sorted(responses, key=_by_sequence)
    for response in responses:
        is_answered = check_response(slots, response.slot, response.value)
        value = msgspec.json.encode(response.value)
        packed = pack_response(response.sequence, believable_ms(response.client_time_ms), value, is_answered)
        for answers in rounds:
            if response.slot not in answers:
                answers[response.slot] = packed
                break
        else:
            rounds.append({response.slot: packed})
    return [list(answers.items()) for answers in rounds]


def believable_ms(milliseconds: int) -> int:
    """Return a client's time within what the database can hold."""
    return min(max(milliseconds, 0), LAST_CLIENT_MS)


def _by_sequence(response: SaveResponse) -> int:
    return response.sequence
