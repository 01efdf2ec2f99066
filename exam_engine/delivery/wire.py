"""Bodies and answers of the candidate's routes, as they travel; none of them has a field a key could stand in."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from exam_engine.delivery.model import MAXIMUM_SEQUENCE
from item_bank.forms.ordering import OrderedSlot
from scoring.values import ResponseValue

Slot = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
Sequence = Annotated[int, msgspec.Meta(ge=1, le=MAXIMUM_SEQUENCE)]
Lease = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
LeaseOrNone = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Milliseconds = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]


class SignInBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is printed on the candidate's card."""

    exam: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    candidate_number: Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=50)]


class CandidateSummary(msgspec.Struct, frozen=True):
    """Who sits here."""

    number: str
    name: str
    school: str


class ExamSummary(msgspec.Struct, frozen=True):
    """Which exam this is."""

    code: str
    name: str


class SeatNotice(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message, or extra time, for the seat."""

    id: int
    kind: Literal["message", "time"]
    text: str = msgspec.field(default="")
    extra_seconds: int = 0


class AttemptSummary(msgspec.Struct, frozen=True):
    """One paper the candidate sits, as the waiting room shows it."""

    attempt_id: UUID
    sitting_id: UUID
    subject: str
    state: str
    starts_at_ms: int
    ends_at_ms: int
    minutes: int
    room: str | None
    seat: int | None
    start_jitter_ms: int = 0  # how long after the beginning this seat shall ask for its paper
    sealed_hash: str = ""  # the sealed paper to fetch meanwhile; empty: none any more
    sealed_bytes: int = 0
    latest_start_ms: int = 0
    notices: list[SeatNotice] = []  # what was said to who waits here


class AttemptList(msgspec.Struct, frozen=True):
    """The candidate's attempts in sittings that are open or were."""

    attempts: list[AttemptSummary]
    server_time_ms: int


class SignedIn(msgspec.Struct, frozen=True):
    """The token and what it opens."""

    token: str
    candidate: CandidateSummary
    exam: ExamSummary
    attempts: list[AttemptSummary]
    server_time_ms: int


class StartBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`client_id` names the browser that will write: `<device>.<tab>`; the device's part survives a restart."""

    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
    started_at_ms: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0  # where the seat began without a network
    proof: Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[0-9a-f]*$")] = ""  # see `offline_starts`


class SealedStart(msgspec.Struct, frozen=True):
    """What a seat fetches beforehand, to begin without a network once somebody tells it the room's release code."""

    attempt_id: UUID
    sealed_hash: str
    salt: bytes
    rounds: int
    wrapped_key: bytes  # the paper key under the release code
    start: bytes  # order, times and seat key under the paper key


class HeldResponse(msgspec.Struct, frozen=True):
    """An answer the server holds."""

    slot: int
    sequence: int
    value: ResponseValue


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a paper that belongs to this candidate alone.

    `lease` 0: another seat writes; this one may read, and asks again until the invigilator admits it.
    """

    attempt_id: UUID
    form_hash: str
    paper_code: str
    ordering: tuple[OrderedSlot, ...]
    lease: int
    state: str
    started_at_ms: int
    deadline_ms: int
    server_time_ms: int
    extra_seconds: int
    responses: list[HeldResponse]
    notices: list[SeatNotice]
    candidate: CandidateSummary
    is_paused: bool = False
    is_locked: bool = False
    start_jitter_ms: int = 0
    paper_key: bytes = b""  # opens the sealed paper
    seat_key: bytes = b""  # signs what this seat hands over
    hand_over_key: bytes = b""  # seals it to the sitting: a point of P-256


class SaveResponse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer; `sequence` is the client's count: an older one never replaces a newer."""

    slot: Slot
    sequence: Sequence
    value: ResponseValue
    client_time_ms: Milliseconds


class SaveBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Answers of one seat; `after` is the last notice it has seen. A seat without a lease (0) saves for the record."""

    lease: LeaseOrNone
    responses: Annotated[list[SaveResponse], msgspec.Meta(min_length=1, max_length=200)]
    after: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0


class SavedSlot(msgspec.Struct, frozen=True):
    """The newest sequence the server holds for a slot."""

    slot: int
    sequence: int


class SaveReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The acknowledgement: sent after the answers were written to disk."""

    saved: list[SavedSlot]
    deadline_ms: int
    server_time_ms: int
    state: str
    notices: list[SeatNotice]
    is_paused: bool = False  # the clock stands: the seat hides the items
    is_locked: bool = False


class TimeReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an idle seat asks for; `lease` is the one that writes: a seat with another has lost the paper."""

    server_time_ms: int
    deadline_ms: int
    state: str
    notices: list[SeatNotice]
    is_paused: bool = False
    is_locked: bool = False
    lease: int = 0


class SubmitBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hand in; `sequences` is what the seat holds by slot, so that nothing is handed in that the server lacks."""

    lease: Lease
    sequences: Annotated[dict[Slot, Sequence], msgspec.Meta(max_length=1000)]


class SubmitReply(msgspec.Struct, frozen=True):
    """The paper is in."""

    state: str
    submitted_at_ms: int
    answered: int
    receipt: str = ""  # signed over the paper and the final answers; see `receipts`


class ReceiptReply(msgspec.Struct, frozen=True):
    """The receipt of a paper that has ended, handed in or not."""

    receipt: str
    state: str
    reason: str  # why it was closed; empty: handed in
    finished_at_ms: int
    answered: int
    saved: list[SavedSlot] = []  # the newest sequences that are held, for a seat that compares
    is_stored: bool = False  # PostgreSQL has the whole paper too: the seat need not keep it any longer


# What a seat itself may tell. What the server finds out about a seat bears other names: no seat can tell it for itself.
EventKind = Literal[
    "focus_lost",
    "focus_back",
    "fullscreen_left",
    "paste_blocked",
    "devtools_open",
    "second_window",
    "clock_jump",
    "offline",
    "online",
    "storage_full",
    "private_mode",
    "hand_over_saved",
    "reload",
    "start",
]
DetailName = Annotated[str, msgspec.Meta(max_length=40)]
DetailText = Annotated[str, msgspec.Meta(max_length=200)]


class SeatEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something the seat noticed: focus lost, off line, on line …"""

    kind: EventKind
    client_time_ms: Milliseconds
    detail: Annotated[dict[DetailName, DetailText | int | bool | None], msgspec.Meta(max_length=8)] = {}


class EventsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the seat noticed since it last told."""

    events: Annotated[list[SeatEvent], msgspec.Meta(min_length=1, max_length=100)]
