"""The seat's side of the protocol as a pure state machine: no network, no clock, no disk; the caller brings all three.

    paper ──hand in──► handing-in ──accepted──► handed-in ──stored twice──► the vault is wiped
      │  ▲                 │  ▲                    │
      │  │                 │  └── the server lost it ┘
      │  └─ time added ─┐  │ closed meanwhile
      ├──── time over ──► over ◄┘
      ├──── another client writes (lease 0) ──► elsewhere ──admitted──► paper
      ├──── the lease went to another client ──► elsewhere ──take back──► asks to be admitted
      ├──── paused, locked by the invigilator ──► paused, locked ──► paper
      └──── token refused ──► signed-out

A lease that has jumped tells of a Redis that began empty: the seat starts again and sends what was lost.
It decides as `proctor_client/src/core` and `player/session.ts` do: every answer is in the vault before it is sent, one
request is under way at a time, after any gap the sequence vectors are compared, handing in repeats until acknowledged.
"""

import random
from collections.abc import Sequence
from enum import StrEnum
from operator import attrgetter

import msgspec

from exam_engine.delivery.model import LEASES_PER_SECOND, is_whole
from exam_engine.delivery.wire import (
    Envelope,
    ReceiptReply,
    SaveBody,
    SaveReply,
    SaveResponse,
    StartBody,
    SubmitBody,
    SubmitReply,
    TimeReply,
)
from loadtests.candidate_bot.exchanges import Ask, Refusal, Reply, Request
from loadtests.candidate_bot.pauses import asking_ms, idle_ms, retry_ms, stored_ms
from loadtests.candidate_bot.server_clock import ServerClock
from loadtests.candidate_bot.vault import Claim, Vault
from scoring.values import ResponseValue

SEQUENCES_PER_LEASE = 100_000
BATCH = 60
COALESCE_MS = 60
CLOSING_PATIENCE = 3  # how often a seat asks what came through of a paper that is about to be closed

__all__ = ["Ask", "Phase", "Refusal", "Request", "SeatProtocol"]


class Phase(StrEnum):
    """Where a seat stands."""

    PAPER = "paper"
    HANDING_IN = "handing-in"
    HANDED_IN = "handed-in"
    OVER = "over"
    ELSEWHERE = "elsewhere"  # read only: another computer writes
    PAUSED = "paused"
    LOCKED = "locked"
    SIGNED_OUT = "signed-out"


_FOR_PEOPLE = frozenset((Phase.ELSEWHERE, Phase.PAUSED, Phase.LOCKED))  # waits for a word of the invigilator
_MUTE = frozenset((Phase.ELSEWHERE, Phase.LOCKED, Phase.SIGNED_OUT))
_LIVE, _ENDED = frozenset(("ready", "running")), frozenset(("closed", "submitted"))
_ON_RECORD = frozenset(("attempt-closed", "time-over", "lease-taken", "attempt-locked"))  # what such a refusal keeps


class SeatProtocol:
    """One attempt at one browser tab. Times are readings of one counter in milliseconds, the seat's own."""

    __slots__ = (
        "_clock",
        "_missing_rounds",
        "_number",
        "_receipts_asked",
        "_refused",
        "_rng",
        "_sent_ms",
        "_under_way",
        "client_id",
        "confirmed",
        "deadline_ms",
        "failures",
        "held",
        "is_alone",
        "is_locked",
        "is_mine",
        "is_paused",
        "is_stored",
        "lease",
        "must_check",
        "must_compare",
        "newest_notice",
        "next_sequence",
        "on_record",
        "phase",
        "receipt",
        "retries",
        "state",
        "vault",
        "wake_ms",
    )

    def __init__(self, client_id: str, rng: random.Random, vault: Vault | None = None, now_ms: int = 0) -> None:
        self.client_id = client_id
        self.vault = vault or Vault()
        self.held: dict[int, SaveResponse] = dict(self.vault.responses)
        self.confirmed: dict[int, int] = {}
        self.next_sequence = 1 + max((response.sequence for response in self.held.values()), default=0)
        self.phase = Phase.HANDING_IN if self.vault.handing_in else Phase.PAPER
        self.state = ""
        self.lease = 0
        self.deadline_ms = 0  # by the server's clock; 0 before the first contact
        self.is_mine = True
        self.is_alone = False  # began without a network; the server has not given it a lease yet
        self.is_paused = False
        self.is_locked = False
        self.is_stored = False  # handed in, and PostgreSQL has it too
        self.must_compare = True
        self.must_check = True  # the attempt has ended, and which of our answers the server has is not known
        self.on_record: dict[int, int] = {}  # newest sequence by slot that the server refused and keeps as evidence
        self.failures = 0
        self.retries = 0
        self.newest_notice = 0
        self.receipt: SubmitReply | None = None
        self.wake_ms = now_ms
        self._rng = rng
        self._refused: set[int] = set()
        self._under_way: Request | None = None
        self._sent_ms = 0
        self._number = 0
        self._missing_rounds = 0
        self._receipts_asked = 0
        self._clock = ServerClock()

    # What the candidate does

    def begin_alone(self, claim: Claim, deadline_ms: int, server_ms: int, now_ms: int) -> None:
        """Begin without a network, by the release code, or go on so; `server_ms` is the server's time as known here.

        The lease is its own word until the server gives one; its answers are older than of whoever asked the server.
        """
        self.vault.claim = claim
        self.is_alone = True
        self.lease, self.state, self.deadline_ms = 1, "running", deadline_ms
        self._clock.guess(server_ms, now_ms)
        self._settle(now_ms)

    @property
    def may_answer(self) -> bool:
        """Whether the paper takes answers: shown, running, ours, not paused, time left as far as known."""
        return self.phase is Phase.PAPER and self.lease > 0

    def answer(self, slot: int, value: ResponseValue, now_ms: int, client_time_ms: int = 0) -> SaveResponse:
        """Note an answer: in the vault at once, on its way soon."""
        response = SaveResponse(slot, self.next_sequence, value, client_time_ms)
        self.next_sequence += 1
        self.vault.responses[slot] = response
        self.held[slot] = response
        self._refused.discard(slot)
        self._wake(now_ms + COALESCE_MS)
        return response

    def hand_in(self, now_ms: int) -> None:
        """Hand in, as soon as the server holds everything."""
        if self.phase is Phase.PAPER:
            self.vault.handing_in = True
            self._settle(now_ms)
            self._wake(now_ms)

    def take_back(self, now_ms: int) -> None:
        """Ask for the paper again, after another client has got it."""
        if self.phase is Phase.ELSEWHERE:
            self.must_compare = True
            self._wake(now_ms)

    def tick(self, now_ms: int) -> None:
        """Notice that the time is over; what was answered before is sent even so."""
        if self.phase is Phase.PAPER and self.deadline_ms and self.left_ms(now_ms) == 0:
            self._settle(now_ms)
            self._wake(now_ms)

    # The wire

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to ask."""
        is_in = self.phase is Phase.HANDED_IN and self.is_stored and not self.pending()
        return self.phase is Phase.SIGNED_OUT or is_in

    @property
    def is_busy(self) -> bool:
        """Whether a request is under way."""
        return self._under_way is not None

    def next_request(self, now_ms: int) -> Request | None:
        """Return the one thing to ask now, most urgent first; None while busy, resting or done."""
        if self._under_way is not None or now_ms < self.wake_ms or self.is_done:
            return None
        self._number += 1
        self._sent_ms = now_ms
        self._under_way = request = self._compose()
        return request

    def replied(self, request: Request, reply: Reply, now_ms: int) -> bool:
        """Take a reply in; False if it came too late to be listened to."""
        if request is not self._under_way:
            return False
        self._under_way = None
        self.failures = 0
        if isinstance(reply, Envelope):
            self._take_envelope(reply, now_ms)
        elif isinstance(reply, SubmitReply):
            self.receipt = reply
            self.state = "submitted"
            self._settle(now_ms)
        elif isinstance(reply, ReceiptReply):
            self._take_receipt(reply, now_ms)
        else:
            if isinstance(reply, SaveReply):
                for saved in reply.saved:
                    self._confirm(saved.slot, saved.sequence)
            self._take_time(reply, now_ms)
        self.wake_ms = now_ms + self._pause_ms()
        return True

    def failed(self, request: Request, now_ms: int, retry_after_ms: int = 0) -> None:
        """Nobody answered, or not as itself (502, 503, a broken connection): try again later, and compare first."""
        if request is not self._under_way:
            return
        self._under_way = None
        self.failures += 1
        self.retries += 1
        self.must_compare = self.must_compare or self.phase is not Phase.HANDED_IN
        self.wake_ms = now_ms + retry_ms(self.failures, self._rng.random(), retry_after_ms)

    def refused(self, request: Request, refusal: Refusal, now_ms: int) -> None:
        """Take a no in."""
        if request is not self._under_way:
            return
        self._under_way = None
        if isinstance(request.body, SaveBody) and refusal.code in _ON_RECORD:
            self.on_record.update((response.slot, response.sequence) for response in request.body.responses)
        self._follow(refusal)
        if request.ask is Ask.START and refusal.code == "lease-taken":
            self.must_compare, self.is_mine = False, False  # turned away by the invigilator
        self._settle(now_ms)
        pause = retry_ms(self.failures, self._rng.random()) if self.failures else self._pause_ms()
        self.wake_ms = now_ms + pause

    # What it knows

    def pending(self) -> list[SaveResponse]:
        """Answers to be sent, oldest change first: what is not confirmed; after the end each once, for the record."""
        confirmed, on_record = self.confirmed, self.on_record if self.state in _ENDED else {}
        waiting = [
            response
            for slot, response in self.held.items()
            if response.sequence > confirmed.get(slot, 0)
            and response.sequence > on_record.get(slot, 0)
            and slot not in self._refused
        ]
        if len(waiting) > 1:
            waiting.sort(key=attrgetter("sequence"))
        return waiting

    def sequences(self) -> dict[int, int]:
        """The newest sequence of each slot, for handing in."""
        return {slot: response.sequence for slot, response in self.held.items() if slot not in self._refused}

    def left_ms(self, now_ms: int) -> float:
        """Time left by the server's clock as far as known."""
        return max(0.0, self.deadline_ms - now_ms - self._clock.offset_ms)

    def _compose(self) -> Request:
        waiting = [] if self.phase in _MUTE else self.pending()
        if self.phase is Phase.HANDED_IN and (self.must_check or not waiting):
            return Request(self._number, Ask.RECEIPT)
        is_claimant = self.phase is Phase.ELSEWHERE and self.lease == 0
        if self.must_compare or is_claimant:
            claim = self.vault.claim
            start = StartBody(self.client_id, claim.started_ms, claim.proof) if claim else StartBody(self.client_id)
            return Request(self._number, Ask.START, start)
        if self.state in _ENDED and self.must_check:
            return Request(self._number, Ask.RECEIPT)
        if waiting:
            body = SaveBody(self._given_lease, waiting[:BATCH], self.newest_notice)
            return Request(self._number, Ask.SAVE, body)
        if self.phase is Phase.HANDING_IN:
            return Request(self._number, Ask.SUBMIT, SubmitBody(self.lease, self.sequences()))
        return Request(self._number, Ask.TIME, None, self.newest_notice, self._given_lease)

    def _pause_ms(self) -> int:
        owes = self.phase not in _MUTE and bool(self.pending())
        if self.phase is Phase.HANDED_IN:
            return COALESCE_MS if owes else stored_ms(self._receipts_asked, self._rng.random())
        if self.must_compare or self.phase is Phase.HANDING_IN:
            return 0
        if owes:
            return COALESCE_MS
        if self.phase in _FOR_PEOPLE:
            return asking_ms(self._rng.random())
        return idle_ms(self._rng.random())

    def _wake(self, at_ms: int) -> None:
        # After a failure the pause is kept: a room that lost its switch must not come back in one beat.
        if not self.failures and self._under_way is None:
            self.wake_ms = min(self.wake_ms, at_ms)

    def _take_envelope(self, envelope: Envelope, now_ms: int) -> None:
        self._clock.read(envelope.server_time_ms, self._sent_ms, now_ms)
        self.lease = envelope.lease
        self.vault.claim, self.is_alone = None, False
        self.is_mine = envelope.lease > 0
        self.confirmed = {}
        highest = max(self.next_sequence - 1, self._floor())
        for theirs in envelope.responses:
            self.confirmed[theirs.slot] = theirs.sequence
            highest = max(highest, theirs.sequence)
            mine = self.held.get(theirs.slot)
            if mine is None or mine.sequence < theirs.sequence:
                held = SaveResponse(theirs.slot, theirs.sequence, theirs.value, 0)
                self.held[theirs.slot] = self.vault.responses[theirs.slot] = held
        self.next_sequence = highest + 1
        self.must_compare = self.must_check = False
        self._stand(envelope, now_ms)

    @property
    def _given_lease(self) -> int:
        """The lease the server gave; 0: none, and a seat must not take another's first one for its own."""
        return 0 if self.is_alone else self.lease

    def _floor(self) -> int:
        """Where the sequences of a seat with this lease begin."""
        return self.lease * SEQUENCES_PER_LEASE

    def _take_time(self, reply: SaveReply | TimeReply, now_ms: int) -> None:
        self._clock.read(reply.server_time_ms, self._sent_ms, now_ms)
        if isinstance(reply, TimeReply) and reply.state in _LIVE and (self.is_alone or reply.lease != self.lease):
            self._meet_lease(reply.lease)
        self._stand(reply, now_ms)

    def _take_receipt(self, reply: ReceiptReply, now_ms: int) -> None:
        self._receipts_asked += 1
        self.must_check = False
        self.state = reply.state
        self.confirmed = {saved.slot: saved.sequence for saved in reply.saved}
        self.is_stored = reply.is_stored and reply.state == "submitted"
        # What another computer handed in may lack answers of this one; they stay, for people to decide.
        if self.is_stored and is_whole(self.sequences(), self.confirmed):
            self.vault.wipe()
        self._settle(now_ms)

    def _stand(self, reply: Envelope | SaveReply | TimeReply, now_ms: int) -> None:
        self.state = reply.state
        self.deadline_ms = reply.deadline_ms
        self.is_paused = reply.is_paused
        self.is_locked = reply.is_locked
        if reply.notices:
            self.newest_notice = max(self.newest_notice, reply.notices[-1].id)
        self._settle(now_ms)

    def _settle(self, now_ms: int) -> None:
        """Say where the seat stands, from all it knows."""
        if self.phase is Phase.SIGNED_OUT:
            return
        if self.state == "submitted":
            self.phase = Phase.HANDED_IN
        elif self.state == "closed":
            self.phase = Phase.OVER
        elif not self.is_mine:
            self.phase = Phase.ELSEWHERE
        elif self.is_locked:
            self.phase = Phase.LOCKED
        elif self.vault.handing_in:
            self.phase = Phase.HANDING_IN
        elif self.is_paused:
            self.phase = Phase.PAUSED
        else:
            is_over = self._clock.is_read and self.deadline_ms > 0 and self.left_ms(now_ms) == 0
            self.phase = Phase.OVER if is_over else Phase.PAPER

    def _meet_lease(self, lease: int) -> None:
        """Another lease than ours writes: another computer, or the old one is no longer known, or we never had one."""
        if not self.is_mine:
            return  # it lost the paper, and does not ask for it by itself
        if self.is_alone or lease // LEASES_PER_SECOND != self.lease // LEASES_PER_SECOND:
            self.must_compare = True
        else:
            self.is_mine = False

    def _confirm(self, slot: int, sequence: int) -> None:
        if self.confirmed.get(slot, 0) < sequence:
            self.confirmed[slot] = sequence
        mine = self.held.get(slot)
        if mine is not None and mine.sequence < sequence:
            # Somebody else's, brought from another computer: ours is newer, and is sent again above it.
            self.next_sequence = max(self.next_sequence, sequence + 1)
            again = msgspec.structs.replace(mine, sequence=self.next_sequence)
            self.held[slot] = self.vault.responses[slot] = again
            self.next_sequence += 1

    def _follow(self, refusal: Refusal) -> None:
        match refusal.code:
            case "lease-taken":
                self.failures = 0
                self._meet_lease(int(refusal.facts.get("lease", self.lease)))
            case "attempt-closed" | "time-over":
                # Not again until somebody adds time: the idle question goes on and brings the news. What was not
                # confirmed is sent once more, for the record; after a gap it is asked first which of it came through.
                self.failures = 0
                self.must_check = self.must_check or self.must_compare
                self.must_compare = False
                self.state = "submitted" if refusal.facts.get("state") == "submitted" else "closed"
            case "attempt-locked":
                self.failures = 0
                self.is_locked = True
            case "responses-missing":
                self._send_again(refusal.facts.get("missing", ()))
            case "receipt-not-yet" if self.state == "closed":
                # Over, and the timer is about to close it; or it was closed as absent, and has no receipt.
                self.must_check = self.failures < CLOSING_PATIENCE
                self.failures = self.failures + 1 if self.must_check else 0
            case "receipt-not-yet":
                # The server has lost the hand-in with its memory: bring back what is missing and hand in again.
                self.state, self.failures = "", 0
                self.must_compare = True
                self._receipts_asked = 0
            case "start-proof-invalid":
                self.vault.claim, self.failures = None, self.failures + 1
            case "unknown-slot" | "response-invalid":
                self._refused.add(int(refusal.facts.get("slot", 0)))
            case _ if refusal.status == 401:
                self.phase = Phase.SIGNED_OUT
            case _:  # also not-started: a server started empty, and starting again brings the attempt back
                self.must_compare = True
                self.failures += 1

    def _send_again(self, slots: Sequence[int]) -> None:
        for slot in slots:
            self.confirmed.pop(slot, None)
        self._missing_rounds += 1
        if self._missing_rounds > 1:
            self.failures += 1
