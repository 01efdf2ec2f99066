"""Answers on their way from a seat's body into the register: checked against the form, and packed."""

from collections.abc import Mapping, Sequence

import msgspec

from exam_engine.delivery.errors import ResponseInvalid, UnknownSlot
from exam_engine.delivery.packing import pack_response
from exam_engine.delivery.wire import SaveResponse
from item_bank import errors as item_bank
from item_bank.messages import message
from item_bank.model.responses import ResponseShape, check_response

LAST_CLIENT_MS = 4_102_444_800_000  # 2100: clocks of seats are recorded, never believed
MAXIMUM_VALUE_BYTES = 40_000
_encode = msgspec.json.Encoder().encode


def pack_answers(
    shapes: Mapping[int, ResponseShape], responses: Sequence[SaveResponse]
) -> list[list[tuple[int, bytes]]]:
    """Check and pack all answers of a body, in rounds in which no slot stands twice; nearly always one round.

    Raises
    ------
    UnknownSlot, ResponseInvalid
        Then none of the body is kept.
    """
    if len(responses) == 1:
        return [[(responses[0].slot, _pack(shapes, responses[0]))]]
    rounds: list[dict[int, bytes]] = [{}]
    for response in sorted(responses, key=_by_sequence):
        packed = _pack(shapes, response)
        for answers in rounds:
            if response.slot not in answers:
                answers[response.slot] = packed
                break
        else:
            rounds.append({response.slot: packed})
    return [list(answers.items()) for answers in rounds]


def require_slot(shapes: Mapping[int, ResponseShape], slot: int) -> ResponseShape:
    """Return the shape of an answer to a slot.

    Raises
    ------
    UnknownSlot
    """
    shape = shapes.get(slot)
    if shape is None:
        raise UnknownSlot(slot)
    return shape


def believable_ms(milliseconds: int) -> int:
    """Return a client's time within what the database can hold."""
    if 0 <= milliseconds <= LAST_CLIENT_MS:
        return milliseconds
    return 0 if milliseconds < 0 else LAST_CLIENT_MS


def _pack(shapes: Mapping[int, ResponseShape], response: SaveResponse) -> bytes:
    shape = require_slot(shapes, response.slot)
    try:
        value = check_response(shape, response.value)
    except item_bank.ResponseInvalid as error:
        raise ResponseInvalid(response.slot, error.reason) from error
    content = _encode(value)
    if len(content) > MAXIMUM_VALUE_BYTES:
        raise ResponseInvalid(
            response.slot, message("the text is longer than {maximum} bytes", maximum=MAXIMUM_VALUE_BYTES)
        )
    return pack_response(response.sequence, believable_ms(response.client_time_ms), content, value is not None)


def _by_sequence(response: SaveResponse) -> int:
    return response.sequence
