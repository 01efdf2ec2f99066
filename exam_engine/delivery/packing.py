"""Answers as Redis keeps them: `<sequence> <1 if answered> <client ms> <json>`; the scripts read the first two.

A sequence has sixteen digits, as many as `model.MAXIMUM_SEQUENCE`: texts compare as the numbers do.
"""

from collections.abc import Mapping

_DIGITS = 16
_FLAG = slice(_DIGITS + 1, _DIGITS + 2)


def pack_response(sequence: int, client_time_ms: int, value: bytes, is_answered: bool) -> bytes:
    """Pack an answer as Redis keeps it; the scripts read sequence and flag."""
    return b"%016d %d %d %b" % (sequence, is_answered, client_time_ms, value)


def unpack_response(packed: bytes) -> tuple[int, int, bytes]:
    """Return sequence, client time and the value's JSON."""
    sequence, _, client_time, value = packed.split(b" ", 3)
    return int(sequence), int(client_time), value


def sequence_of(packed: bytes) -> int:
    """Return the sequence of an answer."""
    return int(packed[:_DIGITS])


def sequences_of(responses: Mapping[int, bytes]) -> dict[int, int]:
    """Return the sequence of each slot."""
    return {slot: sequence_of(packed) for slot, packed in responses.items()}


def count_answered(responses: Mapping[int, bytes]) -> int:
    """Count the slots that hold an answer, not a cleared one."""
    return sum(packed[_FLAG] == b"1" for packed in responses.values())
