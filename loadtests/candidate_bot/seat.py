"""A candidate at a seat: the browser's protocol over a raw connection, with think times, changes and drop-outs.

Everything of the protocol is `protocol.SeatProtocol`; here are only the wire, the candidate's habits and the counting.
"""

import asyncio
import gzip
import random
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from exam_engine.delivery.wire import Envelope, ReceiptReply, SaveReply, SubmitReply, TimeReply
from item_bank.model.responses import ResponseShape, shape_of_slot
from loadtests.candidate_bot.answers import draw_response
from loadtests.candidate_bot.protocol import Ask, Phase, Refusal, Request, SeatProtocol
from loadtests.http import Answer, Connection, request_bytes
from loadtests.tally import Tally

_DECODERS: Mapping[Ask, Callable[[bytes], Any]] = {
    Ask.START: msgspec.json.Decoder(Envelope).decode,
    Ask.SAVE: msgspec.json.Decoder(SaveReply).decode,
    Ask.TIME: msgspec.json.Decoder(TimeReply).decode,
    Ask.SUBMIT: msgspec.json.Decoder(SubmitReply).decode,
    Ask.RECEIPT: msgspec.json.Decoder(ReceiptReply).decode,
}
_PATHS = {
    Ask.START: "start",
    Ask.SAVE: "responses",
    Ask.TIME: "time",
    Ask.SUBMIT: "submission",
    Ask.RECEIPT: "receipt",
}
_AWAY = (502, 503, 504)
_encode = msgspec.json.Encoder().encode


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """How a candidate behaves; probabilities are per answer."""

    think_seconds: float = 15.0  # mean of an exponential time between two answers
    change_share: float = 0.25  # an answer given before is changed instead of a new one given
    reload_share: float = 0.0  # the page is loaded anew: the vault stays, all else begins again
    drop_share: float = 0.0  # the cable is out for a while
    drop_seconds: float = 20.0


class Card(msgspec.Struct, frozen=True):
    """What stands on a candidate's card."""

    exam: str
    number: str
    sit_code: str
    look_up_code: str = ""


class Town:
    """What all seats share: the server's address, the forms read so far, the counters, the clock."""

    def __init__(self, loop: asyncio.AbstractEventLoop, host: str, port: int, tally: Tally) -> None:
        self.loop, self.host, self.port, self.tally = loop, host, port, tally
        self.shapes: dict[str, dict[int, ResponseShape]] = {}

    @property
    def now_ms(self) -> int:
        """The bots' counter."""
        return int(self.loop.time() * 1000)


class Seat:
    """One candidate from the door to the receipt."""

    def __init__(self, town: Town, card: Card, habits: Habits, seed: int) -> None:
        self.card, self.habits = card, habits
        self.attempt_id = ""
        self.protocol = SeatProtocol(f"bot-{card.number}.1", random.Random(seed))
        self.is_thinking = False
        self.rng = random.Random(seed + 1)
        self._town = town
        self._connection = Connection(town.loop, town.host, town.port)
        self.token = ""
        self.form_hash = ""
        self._timer: asyncio.TimerHandle | None = None
        self._thinking: asyncio.TimerHandle | None = None
        self._is_off_line = False
        self._done: asyncio.Future[None] = town.loop.create_future()
        self._confirmed: asyncio.Future[None] | None = None
        self._wants_paper = self._is_opening = False

    # The door

    def come_in(self) -> "asyncio.Future[None]":
        """Sign in; the future is done when the waiting room is reached."""
        self._done = self._town.loop.create_future()
        body = {"exam": self.card.exam, "candidate_number": self.card.number, "code": self.card.sit_code}
        self._ask_until("sign-in", "POST", "/api/candidate/sign-in", _encode(body), self._signed_in)
        return self._done

    def start(self) -> "asyncio.Future[None]":
        """Start the paper; the future is done when it lies open."""
        self._wants_paper = True
        self._done = self._town.loop.create_future()
        self.protocol.wake_ms = self._town.now_ms
        self._step()
        return self._done

    def think(self, habits: Habits | None = None) -> None:
        """Begin to answer."""
        self.habits = habits or self.habits
        self.is_thinking = True
        self._think_on()

    def stop_thinking(self) -> None:
        """Put the pen down; what is answered is still saved."""
        self.is_thinking = False
        if self._thinking is not None:
            self._thinking.cancel()

    def hand_in(self) -> "asyncio.Future[None]":
        """Hand in; the future is done when the receipt is there."""
        self.stop_thinking()
        self._done = self._town.loop.create_future()
        self.protocol.hand_in(self._town.now_ms)
        self._step()
        return self._done

    async def when_confirmed(self) -> None:
        """Wait until the server has confirmed everything this seat holds."""
        if self.protocol.pending():
            self._confirmed = self._town.loop.create_future()
            await self._confirmed

    def lose_network(self, seconds: float) -> None:
        """Pull the cable for a while."""
        self._is_off_line = True
        self._connection.cut()
        self._town.loop.call_later(seconds, self._plug_in)

    def reload(self) -> None:
        """Load the page anew: what is not in the vault is gone."""
        self._connection.cut()
        before = self.protocol
        self.protocol = SeatProtocol(before.client_id, self.rng, before.vault, self._town.now_ms)
        self._town.tally.reloads += 1
        self._step()

    def leave(self) -> None:
        """Close everything."""
        self.stop_thinking()
        if self._timer is not None:
            self._timer.cancel()
        self._connection.close()

    # The wire

    def _step(self) -> None:
        """Ask what the protocol wants to ask now, or come back when it may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_opening:
            return  # one request at a time: the paper is on its way, and goes on from there
        protocol, now_ms = self.protocol, self._town.now_ms
        protocol.tick(now_ms)
        request = protocol.next_request(now_ms)
        if request is not None:
            self._send(request)
        elif not (protocol.is_busy or protocol.is_done or protocol.phase is Phase.ELSEWHERE):
            self._timer = self._town.loop.call_later(max(protocol.wake_ms - now_ms, 1) / 1000, self._step)

    def _send(self, request: Request) -> None:
        if self._is_off_line:
            self._town.loop.call_soon(self._lost, self.protocol, request)
            return
        path = f"/api/attempts/{self.attempt_id}/{_PATHS[request.ask]}"
        if request.ask is Ask.TIME:
            query = f"?after={request.after}&lease={request.lease}"
            raw = request_bytes("GET", path + query, self._town.host, self.token)
        elif request.ask is Ask.RECEIPT:
            raw = request_bytes("GET", path, self._town.host, self.token)
        else:
            raw = request_bytes("POST", path, self._town.host, self.token, _encode(request.body))
        began, protocol = self._town.loop.time(), self.protocol
        self._connection.ask(raw, lambda answer: self._answered(protocol, request, began, answer))

    def _answered(self, protocol: SeatProtocol, request: Request, began: float, answer: Answer | None) -> None:
        town, now_ms = self._town, self._town.now_ms
        if answer is None or answer.status in _AWAY:
            town.tally.fail(request.ask.value, "no answer" if answer is None else str(answer.status))
            protocol.failed(request, now_ms, 1000 * answer.retry_after_seconds if answer else 0)
        elif answer.status == 200:
            town.tally.time(request.ask.value, began, town.loop.time() - began)
            if protocol.replied(request, _DECODERS[request.ask](answer.body), now_ms) and protocol is self.protocol:
                self._replied(request, answer)
        else:
            problem = msgspec.json.decode(answer.body)
            town.tally.fail(request.ask.value, problem.get("code", str(answer.status)))
            protocol.refused(request, Refusal(problem.get("code", ""), problem, answer.status), now_ms)
        if protocol is self.protocol:
            self._step()

    def _replied(self, request: Request, answer: Answer) -> None:
        if request.ask is Ask.START and self.protocol.lease:
            self.form_hash = msgspec.json.decode(answer.body, type=_Opened).form_hash
            if self._wants_paper:
                self._is_opening = True
                self._ask_until("paper", "GET", f"/api/forms/{self.form_hash}", b"", self._opened)
        elif request.ask is Ask.SUBMIT:
            self._settle()
        elif self._confirmed is not None and not self.protocol.pending():
            self._confirmed.set_result(None)
            self._confirmed = None

    def _lost(self, protocol: SeatProtocol, request: Request) -> None:
        protocol.failed(request, self._town.now_ms)
        if protocol is self.protocol:
            self._step()

    def _plug_in(self) -> None:
        self._is_off_line = False

    def _ask_until(self, kind: str, method: str, path: str, body: bytes, then: Callable[[Answer], None]) -> None:
        """Ask until the server answers; what belongs to no attempt is not the protocol's affair."""
        town, began = self._town, self._town.loop.time()

        def answered(answer: Answer | None) -> None:
            if answer is not None and answer.status == 200:
                town.tally.time(kind, began, town.loop.time() - began)
                then(answer)
                return
            town.tally.fail(kind, "no answer" if answer is None else str(answer.status))
            pause = 0.5 + self.rng.random() + (answer.retry_after_seconds if answer else 0)
            town.loop.call_later(pause, ask)

        def ask() -> None:
            self._connection.ask(request_bytes(method, path, town.host, self.token, body), answered)

        ask()

    def _signed_in(self, answer: Answer) -> None:
        signed = msgspec.json.decode(answer.body, type=_SignedIn)
        self.token = signed.token
        waiting = [one for one in signed.attempts if one.state in ("ready", "running")]
        if waiting:
            self.attempt_id = waiting[0].attempt_id
        self._settle()

    def _opened(self, answer: Answer) -> None:
        if self.form_hash not in self._town.shapes:
            body = gzip.decompress(answer.body) if answer.body[:2] == b"\x1f\x8b" else answer.body
            items = msgspec.json.decode(body)["items"]
            self._town.shapes[self.form_hash] = {item["slot"]: shape_of_slot(item) for item in items}
        self._wants_paper = self._is_opening = False
        self._settle()
        self._step()

    def _settle(self) -> None:
        if not self._done.done():
            self._done.set_result(None)

    # The candidate

    def _think_on(self) -> None:
        seconds = min(self.rng.expovariate(1 / self.habits.think_seconds), 10 * self.habits.think_seconds)
        self._thinking = self._town.loop.call_later(seconds, self._act)

    def _act(self) -> None:
        if not self.is_thinking:
            return
        habits, protocol = self.habits, self.protocol
        shapes = self._town.shapes.get(self.form_hash, {})
        if protocol.may_answer and shapes:
            given = list(protocol.held)
            blank = [slot for slot in shapes if slot not in protocol.held]
            slot = self.rng.choice(given if given and (not blank or self.rng.random() < habits.change_share) else blank)
            protocol.answer(slot, draw_response(shapes[slot], self.rng), self._town.now_ms)
            self._town.tally.answers += 1
            if self.rng.random() < habits.reload_share:
                self.reload()
            elif self.rng.random() < habits.drop_share:
                self._town.tally.drops += 1
                self.lose_network(habits.drop_seconds)
            else:
                self._step()
        self._think_on()


class _Opened(msgspec.Struct):
    form_hash: str


class _Attempt(msgspec.Struct):
    attempt_id: str
    state: str


class _SignedIn(msgspec.Struct):
    token: str
    attempts: list[_Attempt]
