"""Refusals of the delivery room.

DeliveryError
├── SittingError: SittingUnknown, SittingPlanInvalid, SittingStateWrong, SittingSealed, NotStored, CodeNotReleased,
│                 PlanChanged
├── AttemptUnknown, SealedPaperUnknown, HandOverInvalid
├── AttemptRefusal: SittingNotStarted, LateStart, NotStarted, AttemptClosed, AttemptLocked, TimeOver, LeaseTaken,
│                   ResponsesMissing, ResponsesNewer, ActImpossible, SomebodyStarted, StartProofInvalid
├── ResponseRefusal: UnknownSlot, ResponseInvalid
├── ReceiptError: ReceiptNotYet, ReceiptMalformed, ReceiptOfOtherKey, ReceiptForged, ReceiptOfOtherAnswers,
│   KeyFileInvalid
└── TokenRefused: TokenInvalid, TokenExpired, NotYours
"""

from collections.abc import Sequence

from exam_engine.infra.errors import EngineError
from item_bank.messages import Message


class DeliveryError(EngineError):
    """Base of the room's refusals."""


class SittingError(DeliveryError):
    """A sitting as a whole cannot do what was asked."""


class SittingUnknown(SittingError):
    """There is no such sitting."""

    def __init__(self, sitting: str) -> None:
        self.sitting = sitting
        super().__init__(f"there is no sitting {sitting}")


class SittingPlanInvalid(SittingError):
    """The plan of a sitting contradicts itself or what it refers to."""

    def __init__(self, field: str, reason: Message) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}")


class SittingStateWrong(SittingError):
    """The sitting is not in the state this act needs."""

    def __init__(self, code: str, state: str, needed: str) -> None:
        self.code = code
        self.state = state
        self.needed = needed
        super().__init__(f"sitting {code} is {state}, not {needed}")


class SittingSealed(SittingError):
    """The sitting is being closed: nothing in it changes any more."""

    def __init__(self) -> None:
        super().__init__("the sitting is being closed")


class NotStored(SittingError):
    """Acknowledged answers have not all reached PostgreSQL in the time given; they wait in Redis."""

    def __init__(self, code: str, waiting: int) -> None:
        self.code = code
        self.waiting = waiting
        super().__init__(f"sitting {code}: at least {waiting} acknowledged changes are not yet in PostgreSQL")


class ActUnknown(SittingError):
    """Nobody did anything in this sitting under that request."""

    def __init__(self, request: str) -> None:
        self.request = request
        super().__init__(f"there is no act {request}")


class RequestReused(SittingError):
    """The id of a request was used before, for another kind of act."""

    def __init__(self, request: str, kind: str) -> None:
        self.request = request
        self.act = kind
        super().__init__(f"the request {request} was used before, to {kind}")


class ActNotUndoable(SittingError):
    """This kind of act cannot be taken back, or it was taken back already."""

    def __init__(self, kind: str, request: str) -> None:
        self.act = kind
        self.request = request
        super().__init__(f"{kind} ({request}) cannot be undone")


class ActUndoneTooLate(SittingError):
    """So long after it this kind of act is no longer taken back: people have planned with it."""

    def __init__(self, kind: str, request: str, minutes: int) -> None:
        self.act = kind
        self.request = request
        self.minutes = minutes
        super().__init__(f"{kind} ({request}) can be undone within {minutes} minutes")


class StartPassed(ActUndoneTooLate):
    """The start a sitting had before it was postponed has passed: nobody could be told in time."""

    def __init__(self, kind: str, request: str, minutes: int, starts_at: str) -> None:
        self.starts_at = starts_at
        super().__init__(kind, request, minutes)


class PlanChanged(SittingError):
    """Since somebody looked at the sitting its start was changed; what they agreed to is no longer what would be."""

    def __init__(self, code: str, starts_at: str) -> None:
        self.code = code
        self.starts_at = starts_at
        super().__init__(f"the start of sitting {code} was changed meanwhile")


class SeatTaken(SittingError):
    """Somebody of the sitting sits there, or the room has no such seat."""

    def __init__(self, room: str, seat: int) -> None:
        self.room = room
        self.seat = seat
        super().__init__(f"seat {seat} of room {room} is not free" if seat else f"room {room} has no free seat")


class LateAnswersUnknown(SittingError):
    """The attempt has no late answers that could count: none were refused, or no extension covers them."""

    def __init__(self, attempt_id: object) -> None:
        self.attempt_id = str(attempt_id)
        super().__init__(f"attempt {attempt_id} has no late answers that could count")


class SamePersonTwice(SittingError):
    """Late answers count only when a second person agrees."""

    def __init__(self, person: str) -> None:
        self.person = person
        super().__init__(f"{person} proposed it; somebody else must agree")


class AttemptUnknown(DeliveryError):
    """No open sitting has this attempt."""

    def __init__(self, attempt_id: object) -> None:
        self.attempt_id = str(attempt_id)
        super().__init__(f"there is no attempt {attempt_id}")


class AttemptRefusal(DeliveryError):
    """The state of an attempt forbids what its seat asks."""


class SittingNotStarted(AttemptRefusal):
    """It is too early to start."""

    def __init__(self, starts_ms: int) -> None:
        self.starts_at_ms = starts_ms
        super().__init__("the sitting has not started")


class LateStart(AttemptRefusal):
    """It is too late to start."""

    def __init__(self, latest_ms: int) -> None:
        self.latest_start_ms = latest_ms
        super().__init__("the latest moment to start has passed")


class NotStarted(AttemptRefusal):
    """An answer or a submission came before the start."""

    def __init__(self) -> None:
        super().__init__("the attempt has not been started")


class AttemptClosed(AttemptRefusal):
    """The attempt is over: submitted, or closed by time or by people."""

    def __init__(self, state: str, reason: str = "") -> None:
        self.state = state
        self.reason = reason
        super().__init__(f"the attempt is {state}" + (f" ({reason})" if reason else ""))


class AttemptLocked(AttemptRefusal):
    """The invigilator has locked the seat; time runs on."""

    def __init__(self) -> None:
        super().__init__("the attempt is locked")


class ActImpossible(AttemptRefusal):
    """What somebody wants to do to an attempt does not fit where it stands."""

    def __init__(self, act: str, state: str, reason: str = "") -> None:
        self.act = act
        self.state = state
        self.reason = reason
        super().__init__(f"{act} is not possible: the attempt is {state}" + (f" ({reason})" if reason else ""))


class SomebodyStarted(ActImpossible):
    """A start is moved only for who has not begun."""


class TimeOver(AttemptRefusal):
    """The deadline and its grace have passed by the server's clock."""

    def __init__(self, deadline_ms: int) -> None:
        self.deadline_ms = deadline_ms
        super().__init__("the time is over")


class LeaseTaken(AttemptRefusal):
    """The attempt is now written from another seat."""

    def __init__(self, lease: int) -> None:
        self.lease = lease
        super().__init__("the attempt is open at another seat")


class ResponsesMissing(AttemptRefusal):
    """The server lacks answers the seat has; the seat sends them and submits again."""

    def __init__(self, slots: Sequence[int]) -> None:
        self.missing = tuple(slots)
        super().__init__("the server lacks the newest answers of slots " + ", ".join(map(str, slots)))


class ResponsesNewer(AttemptRefusal):
    """The server has newer answers than the seat shows; the seat takes them over and submits again."""

    def __init__(self, slots: Sequence[int]) -> None:
        self.newer = tuple(slots)
        super().__init__("the server has newer answers of slots " + ", ".join(map(str, slots)))


class StartProofInvalid(AttemptRefusal):
    """A start without a network was claimed without the key only this attempt's seat could have."""

    def __init__(self, started_ms: int) -> None:
        self.started_at_ms = started_ms
        super().__init__("the proof of the start without a network does not hold")


class SealedPaperUnknown(DeliveryError):
    """No open sitting of this candidate has a sealed paper of that name."""

    def __init__(self, sealed_hash: str) -> None:
        self.sealed_hash = sealed_hash
        super().__init__(f"there is no sealed paper {sealed_hash}")


class CodeNotReleased(SittingError):
    """A room's release code is not told before the sitting starts."""

    def __init__(self, code: str, starts_at: str) -> None:
        self.code = code
        self.starts_at = starts_at
        super().__init__(f"the release code of sitting {code} is not told before {starts_at}")


class HandOverInvalid(DeliveryError):
    """A hand-over file cannot be taken."""

    def __init__(self, reason: Message) -> None:
        self.reason = reason
        super().__init__(str(reason))


class ResponseRefusal(DeliveryError):
    """An answer does not fit the paper."""


class UnknownSlot(ResponseRefusal):
    """The paper has no such slot."""

    def __init__(self, slot: int) -> None:
        self.slot = slot
        super().__init__(f"the paper has no slot {slot}")


class ResponseInvalid(ResponseRefusal):
    """The value is not a possible answer to this item."""

    def __init__(self, slot: int, reason: Message) -> None:
        self.slot = slot
        self.reason = reason
        super().__init__(f"slot {slot}: {reason}")


class TokenRefused(DeliveryError):
    """The bearer token does not open this door."""


class TokenInvalid(TokenRefused):
    """The token was not made here, or was changed."""

    def __init__(self) -> None:
        super().__init__("the token is not valid")


class TokenExpired(TokenRefused):
    """The token was good once."""

    def __init__(self) -> None:
        super().__init__("the token has expired")


class NotYours(TokenRefused):
    """The token belongs to another candidate."""

    def __init__(self) -> None:
        super().__init__("this attempt belongs to another candidate")


class ReceiptError(DeliveryError):
    """A receipt, or the key to check it with, does not hold."""


class ReceiptNotYet(ReceiptError):
    """Only a paper that was started and has ended has a receipt."""

    def __init__(self) -> None:
        super().__init__("the attempt was not started or has not ended")


class ReceiptMalformed(ReceiptError):
    """It is no receipt of ours."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"this is no receipt: {reason}")


class ReceiptOfOtherKey(ReceiptError):
    """It names a key that was not given."""

    def __init__(self, key_id: str, known: Sequence[str]) -> None:
        self.key_id = key_id
        self.known = tuple(known)
        super().__init__(f"the receipt is signed with key {key_id}; the key given is {', '.join(known) or 'none'}")


class ReceiptForged(ReceiptError):
    """The signature does not fit: the text was changed, or somebody without the key wrote it."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        super().__init__(f"the receipt is forged or was changed: key {key_id} did not sign what it says")


class ReceiptOfOtherAnswers(ReceiptError):
    """The receipt is genuine, and these are not the answers it was given for."""

    def __init__(self, stated: str, found: str, slots_stated: int, slots_found: int) -> None:
        self.stated = stated
        self.found = found
        self.slots_stated = slots_stated
        self.slots_found = slots_found
        super().__init__(
            f"the receipt is genuine, but these are other answers: it states {slots_stated} slots with hash {stated}, "
            f"these are {slots_found} slots with hash {found}"
        )


class KeyFileInvalid(ReceiptError):
    """What was given as a public key is none."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"this is no public key: {reason}")
