"""Hand-over files: what a seat that never came back on line leaves on a stick, and its way into the register.

The file opens for the server alone (a box to the sitting's public key) and is signed with the seat's key, so that it
can neither be read nor made nor changed by anybody who carries it. Its answers are saved by the rules of every save:
they count by the moment they arrive here, the newest sequence of a slot wins, and the file's own times are evidence.
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from exam_engine.delivery import model
from exam_engine.delivery.answers import pack_answers
from exam_engine.delivery.errors import AttemptClosed, HandOverInvalid, TimeOver
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import AttemptFacts, AttemptId, AttemptState, Change, SittingId
from exam_engine.delivery.offline_starts import start_as_claimed
from exam_engine.delivery.packing import unpack_response
from exam_engine.delivery.places import NotHeld
from exam_engine.delivery.register import Held
from exam_engine.delivery.rolls import Roll, Sat
from exam_engine.delivery.service.desk import Desk, record
from exam_engine.delivery.store.acts import keep_late
from exam_engine.delivery.wire import Milliseconds, SaveResponse
from exam_engine.infra import sealing
from item_bank.messages import message

MAXIMUM_FILE_BYTES = 8 * 1024 * 1024
MAXIMUM_RESPONSES = 5_000


class HandOverFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file as it lies on the stick."""

    kind: Literal["exam-hand-over"]
    version: Literal[1]
    sitting_id: UUID
    attempt_id: UUID
    box: bytes


class SignedContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the box holds: JSON as the seat wrote it, and its MAC under the seat's key."""

    content: str
    mac: str


class HandOver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a seat hands over: its newest answers; `started_at_ms` where it began without a network, else 0."""

    attempt_id: UUID
    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
    made_at_ms: Milliseconds
    started_at_ms: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    responses: Annotated[list[SaveResponse], msgspec.Meta(max_length=MAXIMUM_RESPONSES)]


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What a hand-over file came to."""

    attempt_id: UUID
    candidate_number: str
    candidate_name: str
    made_at_ms: int  # by the server's clock as the seat knew it
    has_started: bool  # the file told of a start the server had not seen
    taken: int  # answers the server lacked, saved now
    known: int  # the server had these or newer ones
    late: int  # came after the end: kept as evidence, not counted


def read_file(content: bytes) -> HandOverFile:
    """Read a file's shell, which says whose it is.

    Raises
    ------
    HandOverInvalid
    """
    if len(content) > MAXIMUM_FILE_BYTES:
        raise HandOverInvalid(message("the file is larger than {maximum} bytes", maximum=MAXIMUM_FILE_BYTES))
    try:
        return msgspec.json.decode(content, type=HandOverFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HandOverInvalid(message("this is not a hand-over file of an exam seat")) from error


def open_file(roll: Roll, file: HandOverFile) -> tuple[Sat, HandOver]:
    """Open a file of this sitting.

    Raises
    ------
    HandOverInvalid
        It belongs elsewhere, was changed, or was not written by this attempt's seat.
    """
    attempt_id = AttemptId(file.attempt_id)
    seat = roll.seats.get(attempt_id)
    if file.sitting_id != roll.sitting.id or seat is None:
        raise HandOverInvalid(message("the file belongs to another sitting"))
    changed = HandOverInvalid(message("the file was changed or was not written by this candidate's seat"))
    try:
        signed = msgspec.json.decode(roll.seals.open_hand_over(attempt_id, file.box), type=SignedContent)
        expected = sealing.mac(roll.seals.seat_key(attempt_id), signed.content.encode()).hex()
        if not hmac.compare_digest(expected.encode(), signed.mac.encode()):
            raise changed
        handed = msgspec.json.decode(signed.content, type=HandOver)
    except (sealing.SealBroken, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise changed from error
    if handed.attempt_id != attempt_id:
        raise changed
    return Sat(roll, seat, roll.places[attempt_id]), handed


async def restore_file(
    delivery: Delivery, desk: Desk, sitting_id: SittingId, file: HandOverFile, *, dry_run: bool = False
) -> Restored:
    """Take a file into its attempt, and write that into the record; with `dry_run` only say what it holds.

    Raises
    ------
    HandOverInvalid, SittingUnknown, UnknownSlot, ResponseInvalid, SittingNotStarted, LateStart, NotStarted,
    AttemptClosed, AttemptLocked, ServiceUnavailable
    """
    roll = await delivery.roll(sitting_id)
    sat, handed = open_file(roll, file)
    if dry_run:
        return await preview(delivery, sat, handed)
    restored = await restore(delivery, desk, sat, handed)
    counts = {"taken": restored.taken, "known": restored.known, "late": restored.late}
    await record(desk, "sitting.restore", roll.sitting, attempt_id=file.attempt_id, **counts)
    return restored


async def preview(delivery: Delivery, sat: Sat, handed: HandOver) -> Restored:
    """Say what a file would come to, and change nothing."""
    held = (await delivery.look(sat, "s")).sequences()
    return _restored(sat, handed, taken=_newer(handed, held), late=False, has_started=False)


async def restore(delivery: Delivery, desk: Desk, sat: Sat, handed: HandOver) -> Restored:
    """Save a file's answers; again: changes nothing.

    Raises
    ------
    UnknownSlot, ResponseInvalid, SittingNotStarted, LateStart, NotStarted, AttemptClosed, AttemptLocked, LeaseTaken,
    ServiceUnavailable
    """
    packed = pack_answers(sat.roll.paper.shapes, handed.responses)
    facts = (await delivery.look(sat)).facts
    has_started = facts.state is AttemptState.READY and handed.started_at_ms > 0
    if has_started:
        facts = await _start(delivery, sat, handed, desk.actor)
    before = (await delivery.look(sat, "s")).sequences()
    newer = _newer(handed, before)
    late = False
    arrival_ms = delivery.now_ms()
    for answers in packed if newer else ():
        try:
            await _put(delivery, sat, facts.lease, arrival_ms, answers)
        except (TimeOver, AttemptClosed):
            late = True  # they are kept as evidence
        except NotHeld:
            # Redis has let the closed sitting go: nothing there keeps them, so that is done here.
            late = True
            fresh = [answer for answer in answers if unpack_response(answer[1])[0] > before.get(answer[0], 0)]
            await keep_late(desk.session, sat.seat.attempt_id, facts.lease, arrival_ms, fresh)
    if newer and not late:
        now_ms = delivery.now_ms()
        await delivery.change(sat, lambda held: model.recall(held.facts, now_ms), desk.actor)
    return _restored(sat, handed, taken=newer, late=late, has_started=has_started)


async def _put(delivery: Delivery, sat: Sat, lease: int, arrival_ms: int, answers: Sequence[tuple[int, bytes]]) -> None:
    """Save answers, taking the attempt of an open sitting back first if Redis lacks it."""
    try:
        await delivery.register.save(sat.place, lease, arrival_ms, answers)
    except NotHeld:
        if not sat.roll.is_open:
            raise
        await delivery.restorer.restore(sat.roll.sitting, sat.seat.attempt_id)
        await delivery.register.save(sat.place, lease, arrival_ms, answers)


async def _start(delivery: Delivery, sat: Sat, handed: HandOver, by: str) -> AttemptFacts:
    now_ms = delivery.now_ms()

    def decide(held: Held) -> Change | None:
        if held.facts.state is not AttemptState.READY:
            return None  # the seat itself was quicker
        return start_as_claimed(held.facts, handed.client_id, handed.started_at_ms, now_ms)

    facts, _ = await delivery.change(sat, decide, by, claimed_ms=handed.started_at_ms)
    return facts


def _newer(handed: HandOver, held: Mapping[int, int]) -> int:
    newest = {response.slot: 0 for response in handed.responses}
    for response in handed.responses:
        newest[response.slot] = max(newest[response.slot], response.sequence)
    return sum(sequence > held.get(slot, 0) for slot, sequence in newest.items())


def _restored(sat: Sat, handed: HandOver, *, taken: int, late: bool, has_started: bool) -> Restored:
    total = len({response.slot for response in handed.responses})
    return Restored(
        attempt_id=sat.seat.attempt_id,
        candidate_number=sat.seat.number,
        candidate_name=sat.seat.full_name,
        made_at_ms=handed.made_at_ms,
        has_started=has_started,
        taken=0 if late else taken,
        known=total - taken,
        late=taken if late else 0,
    )
