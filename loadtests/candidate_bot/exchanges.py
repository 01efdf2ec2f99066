"""What a seat asks of the server, and the two ways an answer comes."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from exam_engine.delivery.wire import (
    Envelope,
    ReceiptReply,
    SaveBody,
    SaveReply,
    StartBody,
    SubmitBody,
    SubmitReply,
    TimeReply,
)

Body = StartBody | SaveBody | SubmitBody | None
Reply = Envelope | SaveReply | TimeReply | SubmitReply | ReceiptReply


class Ask(StrEnum):
    """What a request asks of the server."""

    START = "start"
    SAVE = "save"
    TIME = "time"
    SUBMIT = "submit"
    RECEIPT = "receipt"


class Request(msgspec.Struct, frozen=True):
    """One request; a reply to any but the newest comes too late and is not listened to."""

    number: int
    ask: Ask
    body: Body = None
    after: int = 0  # the last notice seen, for TIME
    lease: int = 0  # the one the seat believes it has, for TIME


class Refusal(msgspec.Struct, frozen=True):
    """The server answered no (RFC 9457): the code of its type and the facts beside it."""

    code: str
    facts: Mapping[str, Any] = {}
    status: int = 409
