"""Cases of the seat's protocol: what a seat does, asks and hears, second by second, and where it stands after each.

Drawn from seeds with the bot's `SeatProtocol` beside a small server, written to `protocol_cases.json`. The bot is run
through them here, the browser's own session by `proctor_client/tests/player/golden.test.ts`: a rule changed on one side
alone fails on one of them. To write the file anew: `python -m tests.golden.protocol_cases`.
"""

import json
import random
from pathlib import Path
from typing import Any

import msgspec

from exam_engine.delivery.wire import (
    CandidateSummary,
    Envelope,
    HeldResponse,
    ReceiptReply,
    SavedSlot,
    SaveReply,
    SubmitReply,
    TimeReply,
)
from loadtests.candidate_bot.protocol import Ask, Phase, Refusal, Request, SeatProtocol

FILE = Path(__file__).with_suffix(".json")
SEEDS = (*range(60), 252, 477, 1810)  # the last ones reach what is rare
STEPS = 45
SERVER_MS = 1_800_000_000_000  # the server's clock when the seat's counter reads 0
ATTEMPT = "3f2a91bc-0000-4000-8000-000000000001"
JUMP = 86_431_000


class Even(random.Random):
    """Chance without chance: every pause is the middle one."""

    def random(self) -> float:
        """Return one half."""
        return 0.5


class SmallServer:
    """One attempt, by the rules of `delivery.model`, as far as a seat can tell."""

    def __init__(self) -> None:
        self.state, self.lease, self.client, self.claimant = "running", 1, "tab", ""
        self.deadline_ms = 120_000
        self.held: dict[int, HeldResponse] = {}
        self.is_paused = self.is_locked = self.is_stored = False

    def answer(self, request: Request, now_ms: int) -> Any:
        """Answer as the API would."""
        match request.ask:
            case Ask.START:
                return self._start(now_ms)
            case Ask.SAVE:
                return self._refusal(request.body.lease, now_ms) or self._save(request.body, now_ms)  # type: ignore[union-attr]
            case Ask.TIME:
                return TimeReply(*self._times(now_ms), [], self.is_paused, self.is_locked, self.lease)
            case Ask.SUBMIT:
                return self._submit(request.body, now_ms)
            case Ask.RECEIPT:
                if self.state == "running":
                    return Refusal("receipt-not-yet")
                saved = [SavedSlot(slot, held.sequence) for slot, held in self.held.items()]
                return ReceiptReply("R1", self.state, "", SERVER_MS, len(saved), saved, self.is_stored)

    def _times(self, now_ms: int) -> tuple[int, int, str]:
        return SERVER_MS + now_ms, SERVER_MS + self.deadline_ms, self.state

    def _start(self, now_ms: int) -> Any:
        if self.state != "running":
            return Refusal("attempt-closed", {"state": self.state})
        if not self.is_paused and now_ms > self.deadline_ms:
            return Refusal("time-over")
        if self.client != "tab":
            self.claimant = "tab"
        server_ms, deadline_ms, state = self._times(now_ms)
        return Envelope(
            attempt_id=msgspec.convert(ATTEMPT, Any),
            form_hash="ab" * 32,
            paper_code="0101",
            ordering=(),
            lease=self.lease if self.client == "tab" else 0,
            state=state,
            started_at_ms=SERVER_MS,
            deadline_ms=deadline_ms,
            server_time_ms=server_ms,
            extra_seconds=0,
            responses=list(self.held.values()),
            notices=[],
            candidate=CandidateSummary("1", "An", ""),
            is_paused=self.is_paused,
            is_locked=self.is_locked,
        )

    def _refusal(self, lease: int, now_ms: int) -> Refusal | None:
        if self.state != "running":
            return Refusal("attempt-closed", {"state": self.state})
        if lease != self.lease:
            return Refusal("lease-taken", {"lease": self.lease})
        if self.is_locked:
            return Refusal("attempt-locked")
        return Refusal("time-over") if not self.is_paused and now_ms > self.deadline_ms else None

    def _save(self, body: Any, now_ms: int) -> SaveReply:
        for one in body.responses:
            if one.slot not in self.held or self.held[one.slot].sequence < one.sequence:
                self.held[one.slot] = HeldResponse(one.slot, one.sequence, one.value)
        saved = [SavedSlot(one.slot, self.held[one.slot].sequence) for one in body.responses]
        server_ms, deadline_ms, state = self._times(now_ms)
        return SaveReply(saved, deadline_ms, server_ms, state, [], self.is_paused)

    def _submit(self, body: Any, now_ms: int) -> Any:
        if self.state == "submitted" and body.lease == self.lease:
            return SubmitReply("submitted", SERVER_MS + now_ms, len(self.held))
        if refusal := self._refusal(body.lease, now_ms):
            return refusal
        held = {slot: one.sequence for slot, one in self.held.items()}
        if missing := sorted(slot for slot, sequence in body.sequences.items() if held.get(slot, 0) < sequence):
            return Refusal("responses-missing", {"missing": missing})
        if any(held.get(slot, 0) > sequence for slot, sequence in body.sequences.items()):
            return Refusal("responses-newer")
        self.state = "submitted"
        return SubmitReply("submitted", SERVER_MS + now_ms, len(self.held))

    def suffer(self, fate: int, chance: random.Random) -> None:
        """Let people or the nemesis do something."""
        match fate:
            case 0:
                self.is_paused = not self.is_paused
                self.deadline_ms += 0 if self.is_paused else 20_000
            case 1:
                self.is_locked = not self.is_locked
            case 2:  # another computer writes
                self.lease, self.client = self.lease + 1, "other"
                slot = 1 + chance.randrange(5)
                self.held[slot] = HeldResponse(slot, self.lease * 100_000 + 1, f"other {self.lease}")
            case 3 if self.claimant:
                self.lease, self.client, self.claimant = self.lease + 1, "tab", ""
            case 4:  # Redis began empty
                self.lease = max(self.lease + 1, JUMP) + 1000
                for slot in [slot for slot in self.held if chance.random() < 0.5]:
                    del self.held[slot]
                self.state = "running" if chance.random() < 0.5 else self.state
            case 5:
                self.state = "closed" if self.state == "running" else self.state
            case 6:
                self.deadline_ms += 60_000
                self.state = "running" if self.state == "closed" else self.state
            case 7:  # somebody else's answer of a higher sequence, whatever brought it
                slot = 1 + chance.randrange(5)
                before = self.held.get(slot)
                above = (before.sequence if before else self.lease * 100_000) + 40
                self.held[slot] = HeldResponse(slot, above, f"brought {above}")
            case _:
                self.is_stored = True


def draw_case(seed: int) -> dict[str, Any]:
    """Draw one case: the envelope it opens with, and its steps."""
    chance = random.Random(seed)
    seat, server = SeatProtocol("tab", Even(), now_ms=0), SmallServer()
    server.deadline_ms = chance.choice((8_000, 25_000, 120_000))
    first = seat.next_request(0)
    assert first is not None
    opening = server.answer(first, 0)
    seat.replied(first, opening, 0)
    seat.wake_ms = 60  # what the page does once the paper is on the screen
    steps: list[dict[str, Any]] = []
    now, under_way, given = 0, None, 0
    shown: dict[str, Any] = {}

    def then(step: dict[str, Any]) -> None:
        nonlocal shown
        stands = {
            "phase": seat.phase.value,
            "waits": len(seat.pending()),
            "next": seat.next_sequence,
            "held": {str(slot): [one.sequence, one.value] for slot, one in sorted(seat.held.items())},
        }
        # Where nothing changed, nothing is written.
        changes = {name: value for name, value in stands.items() if shown.get(name) != value}
        shown = stands
        steps.append({"at": now, **step, **changes})

    while len(steps) < STEPS and not (seat.is_done and under_way is None):
        if under_way is not None:
            now += chance.choice((5, 5, 40, 700))
            luck = chance.random()
            if chance.random() < 0.16:
                server.suffer(chance.randrange(9), chance)
            reply = server.answer(under_way, now) if luck > 0.12 else None
            if reply is None or luck > 0.9:
                seat.failed(under_way, now)
                then({"fails": True})
            elif isinstance(reply, Refusal):
                seat.refused(under_way, reply, now)
                then({"refused": {"code": reply.code, "facts": reply.facts, "status": reply.status}})
            else:
                seat.replied(under_way, reply, now)
                then({"hears": _heard(reply, opening)})
            under_way = None
            continue
        due = max(seat.wake_ms, now)
        move = chance.random()
        at = now + chance.choice((1, 30, 90, 900, 4_000))
        if move < 0.5 and at < due:
            now = at
            seat.tick(now)
            then({"does": "tick"})
            if seat.may_answer and seat.left_ms(now) > 0:
                given += 1
                slot = 1 + chance.randrange(5)
                seat.answer(slot, f"v{given}", now)
                then({"does": "answer", "slot": slot, "value": f"v{given}"})
            if chance.random() < 0.12 and seat.phase is Phase.PAPER:
                seat.hand_in(now)
                then({"does": "hand in"})
            elif chance.random() < 0.4 and seat.phase is Phase.ELSEWHERE:
                seat.take_back(now)
                then({"does": "take back"})
            continue
        now = due
        under_way = seat.next_request(now)
        if under_way is not None:
            then({"asks": under_way.ask.value, "body": _body_of(under_way)})
    return {"seed": seed, "opening": msgspec.to_builtins(opening), "steps": steps}


def _heard(reply: Any, opening: Any) -> Any:
    """Return a reply; an envelope without what stands in the one the case opened with."""
    told, before = msgspec.to_builtins(reply), msgspec.to_builtins(opening)
    if not isinstance(reply, Envelope):
        return told
    return {name: value for name, value in told.items() if value != before[name]}


def _body_of(request: Request) -> Any:
    if request.ask is Ask.TIME:
        return {"after": request.after, "lease": request.lease}
    if request.ask is Ask.SAVE:
        body: Any = request.body
        return {"lease": body.lease, "saves": [[one.slot, one.sequence, one.value] for one in body.responses]}
    if request.ask is Ask.SUBMIT:
        body = request.body
        return {"lease": body.lease, "sequences": {str(slot): n for slot, n in sorted(body.sequences.items())}}
    return {}


def as_text() -> str:
    """Return the file's content: one step a line, so that a change shows what it changed."""
    cases = []
    for seed in SEEDS:
        case = draw_case(seed)
        steps = ",\n".join(json.dumps(step, ensure_ascii=False) for step in case["steps"])
        cases.append(f'{{"seed": {seed}, "opening": {json.dumps(case["opening"])}, "steps": [\n{steps}]}}')
    return "[" + ",\n".join(cases) + "]\n"


if __name__ == "__main__":
    FILE.write_text(as_text())
