"""A seat of a drill: keeps every answer itself, sends until it is acknowledged, compares both sides when it comes back.

It follows the browser client's protocol, but paints nothing; what the screen would say is measured.
"""

import asyncio
import base64
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

import httpx
import msgspec
import numpy as np

from exam_engine.delivery.hand_over import HandOver, HandOverFile, SignedContent
from exam_engine.delivery.model import AttemptId, SittingId
from exam_engine.delivery.sealing import hand_over_label
from exam_engine.delivery.wire import SaveResponse
from exam_engine.infra import sealing
from scoring.values import ResponseValue

RETRY_SECONDS = (0.2, 0.4, 0.8, 1.5, 2.0)
ASK_SECONDS = 0.5  # a waiting second seat of a drill asks oftener than a browser's five seconds
LISTED_TIMES = 40
TIMEOUT_SECONDS = 4.0


class Card(msgspec.Struct, frozen=True):
    """What a candidate brings along."""

    exam: str
    number: str
    code: str


class DrillRefused(Exception):
    """The server refused what a correct seat must be allowed to do."""


class Typed(msgspec.Struct, frozen=True):
    """An answer as the seat holds it."""

    sequence: int
    value: ResponseValue


class Seat:
    """One browser of one candidate."""

    def __init__(self, url: str, card: Card, device: str, rng: np.random.Generator, pace_seconds: float = 1.0) -> None:
        self.card = card
        self.attempt_id = ""
        self.lease = 0
        self.deadline_ms = 0
        self.typed: dict[int, Typed] = {}
        self.acknowledged: dict[int, Typed] = {}
        self.lost_lease_at: float | None = None
        self.offline_at: float | None = None  # when it noticed, by its own clock
        self.refusals: list[str] = []
        self.troubles: list[str] = []  # each request that got no answer, and why
        self.failures = 0
        self.saves = 0  # acknowledged requests
        self.resent = 0  # answers the server had lost and was given again at the end
        self.is_submitted = False
        self.learned: list[tuple[float, int]] = []  # when each new deadline was learned
        self._client = httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS)
        self._client_id = f"{device}.1"
        self._rng, self._pace = rng, pace_seconds
        self._sequence = 0
        self._choices: dict[int, list[str]] = {}
        self._server: dict[int, int] = {}
        self._missing: list[int] = []  # what the last refusal said the server lacks
        self._must_compare = False
        self._keys: Mapping[str, bytes] = {}
        self._task: asyncio.Task[None] | None = None

    # What a candidate does

    async def sign_in(self, sitting_id: UUID) -> None:
        """Enter with the card, and wait in the waiting room until the sitting is listed.

        Raises
        ------
        DrillRefused
            It never was.
        """
        body = {"exam": self.card.exam, "candidate_number": self.card.number, "code": self.card.code}
        answer = await self._patiently("POST", "/api/candidate/sign-in", body)
        self._client.headers["Authorization"] = f"Bearer {answer['token']}"
        for _ in range(LISTED_TIMES):
            found = [one["attempt_id"] for one in answer["attempts"] if one["sitting_id"] == str(sitting_id)]
            if found:
                self.attempt_id = found[0]
                return
            await asyncio.sleep(ASK_SECONDS)
            answer = await self._patiently("GET", "/api/candidate/attempts")
        raise DrillRefused(f"candidate {self.card.number}: the sitting is not listed")

    async def start(self) -> bool:
        """Start or come back; False: another seat writes, and this one waits to be admitted."""
        envelope = await self._patiently(
            "POST", f"/api/attempts/{self.attempt_id}/start", {"client_id": self._client_id}
        )
        self._learn(envelope["deadline_ms"])
        self.lease = envelope["lease"]
        self._keys = {name: base64.b64decode(envelope[name]) for name in ("seat_key", "hand_over_key")}
        self._server = {held["slot"]: held["sequence"] for held in envelope["responses"]}
        self._sequence = max([self._sequence, *self._server.values()])
        for held in envelope["responses"]:
            mine = self.typed.get(held["slot"])
            if mine is None or mine.sequence < held["sequence"]:
                self.typed[held["slot"]] = Typed(held["sequence"], held["value"])
        if not self._choices and self.lease:
            form = await self._patiently("GET", f"/api/forms/{envelope['form_hash']}")
            self._choices = {
                item["slot"]: [option["id"] for option in item["options"]]
                for item in form["items"]
                if item["kind"] == "single_choice"
            }
        return self.lease > 0

    async def wait_until_admitted(self) -> None:
        """Ask again until the invigilator has let this seat in."""
        while not await self.start():  # noqa: ASYNC110 (a seat waits by asking, as the browser does)
            await asyncio.sleep(ASK_SECONDS)

    def answer(self) -> None:
        """Choose an option; it is kept here whatever the network does."""
        slots = sorted(self._choices)
        slot = slots[int(self._rng.integers(len(slots)))]
        options = self._choices[slot]
        self._sequence += 1
        self.typed[slot] = Typed(self._sequence, options[int(self._rng.integers(len(options)))])

    def put(self, slot: int, value: ResponseValue) -> None:
        """Type one given answer."""
        self._sequence += 1
        self.typed[slot] = Typed(self._sequence, value)

    def forget(self) -> None:
        """Forget all that is held here; the next start brings what the server has."""
        self.typed.clear()
        self.acknowledged.clear()
        self.refusals.clear()
        self._server.clear()
        self.lease, self.lost_lease_at = 0, None

    async def save(self) -> None:
        """Send once whatever the server is not known to hold; does nothing when it holds everything."""
        if self._must_compare:
            await self._compare()
        missing = {slot: typed for slot, typed in self.typed.items() if self._server.get(slot, 0) < typed.sequence}
        if not missing or not self.lease:
            return
        now_ms = time.time_ns() // 1_000_000
        responses = [
            {"slot": slot, "sequence": typed.sequence, "value": typed.value, "client_time_ms": now_ms}
            for slot, typed in sorted(missing.items())
        ]
        path = f"/api/attempts/{self.attempt_id}/responses"
        reply = await self._ask("POST", path, {"lease": self.lease, "responses": responses})
        self._learn(reply["deadline_ms"])
        self.saves += 1
        for saved in reply["saved"]:
            self._server[saved["slot"]] = saved["sequence"]
            typed = missing.get(saved["slot"])
            if typed is not None and typed.sequence == saved["sequence"]:
                self.acknowledged[saved["slot"]] = typed

    async def submit(self) -> None:
        """Hand in, whatever the server is doing; the seat tries until it is done."""
        await self.stop()
        while True:
            try:
                await self.save()
                vector = {str(slot): typed.sequence for slot, typed in self.typed.items()}
                path = f"/api/attempts/{self.attempt_id}/submission"
                await self._ask("POST", path, {"lease": self.lease, "sequences": vector})
            except _NoAnswer:
                await self._pause()
            except DrillRefused:
                if not self._missing:
                    raise
                # The server holds less than it once acknowledged: it has lost its memory, and gets it from here.
                self.resent += len(self._missing)
                for slot in self._missing:
                    self._server.pop(slot, None)
            else:
                self.is_submitted = True
                return

    def hand_over(self, sitting_id: UUID) -> HandOverFile:
        """Put every answer into a file that only the server can read: the network will not come back."""
        now_ms, attempt_id = time.time_ns() // 1_000_000, UUID(self.attempt_id)
        typed = [SaveResponse(slot, typed.sequence, typed.value, now_ms) for slot, typed in sorted(self.typed.items())]
        content = msgspec.json.encode(HandOver(attempt_id, self._client_id, now_ms, 0, typed)).decode()
        signed = SignedContent(content, sealing.mac(self._keys["seat_key"], content.encode()).hex())
        label = hand_over_label(SittingId(sitting_id), AttemptId(attempt_id))
        box = sealing.seal_box(self._keys["hand_over_key"], label, msgspec.json.encode(signed))
        return HandOverFile("exam-hand-over", 1, sitting_id, attempt_id, box)

    async def ask_time(self) -> None:
        """Ask for the time, as an idle seat does."""
        reply = await self._ask("GET", f"/api/attempts/{self.attempt_id}/time")
        self._learn(reply["deadline_ms"])
        if reply.get("lease", 0) not in (0, self.lease):
            self._must_compare = True

    # How it lives

    def live(self) -> None:
        """Begin to answer at the pace given, until stopped or cut off."""
        self._task = asyncio.get_running_loop().create_task(self._live())

    async def stop(self) -> None:
        """Put the pen down."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def lose_power(self) -> None:
        """Go dark in the middle of everything: what only this machine knew is gone."""
        await self.stop()
        await self._client.aclose()

    async def close(self) -> None:
        """Leave."""
        await self.stop()
        await self._client.aclose()

    @property
    def is_all_acknowledged(self) -> bool:
        """Whether the server has said that it keeps everything typed here."""
        return all(self._server.get(slot, 0) >= typed.sequence for slot, typed in self.typed.items())

    @property
    def is_online(self) -> bool:
        """Whether the last request was answered."""
        return self.offline_at is None

    def knows_deadline_since(self, deadline_ms: int) -> float | None:
        """When this seat learned of a deadline at least so late."""
        return next((at for at, known in self.learned if known >= deadline_ms), None)

    async def _live(self) -> None:
        while True:
            self.answer()
            try:
                await self._save_or_ask()
            except _NoAnswer:
                await self._pause()
                continue
            if self.lost_lease_at is not None:
                return  # another seat writes now; this one shows it and is done
            await asyncio.sleep(self._pace * float(self._rng.uniform(0.5, 1.5)))

    async def _save_or_ask(self) -> None:
        """Save; a seat that is refused (its time is over) goes on asking for the time, as an idle one does."""
        try:
            await self.save()
        except DrillRefused:
            if self._must_compare:
                return  # at the next turn
        if self._must_compare or self.lost_lease_at is not None:
            return
        if self.is_all_acknowledged or self.refusals:
            await self.ask_time()

    async def _compare(self) -> None:
        """After a gap both sides compare what they hold: a server that lost everything is filled from here.

        A seat that comes back without the lease has lost the paper to another one.
        """
        envelope = await self._ask("POST", f"/api/attempts/{self.attempt_id}/start", {"client_id": self._client_id})
        self._must_compare = False
        self._learn(envelope["deadline_ms"])
        self.lease = envelope["lease"]
        if not self.lease:
            self.lost_lease_at = time.monotonic()
        self._server = {held["slot"]: held["sequence"] for held in envelope["responses"]}

    async def _pause(self) -> None:
        pause = RETRY_SECONDS[min(self.failures, len(RETRY_SECONDS)) - 1]
        await asyncio.sleep(pause * float(self._rng.uniform(0.3, 1.0)))

    async def _patiently(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        while True:
            try:
                return await self._ask(method, path, body)
            except _NoAnswer:
                await self._pause()

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        try:
            answer = await self._client.request(method, path, json=body)
        except httpx.TransportError as error:
            self._missed(f"{method} {path.rpartition('/')[2]}: {type(error).__name__}")
            raise _NoAnswer from error
        if answer.status_code in (
            HTTPStatus.BAD_GATEWAY,
            HTTPStatus.SERVICE_UNAVAILABLE,
            HTTPStatus.GATEWAY_TIMEOUT,
        ):
            self._missed(f"{method} {path.rpartition('/')[2]}: {answer.status_code}")
            raise _NoAnswer
        self.failures, self.offline_at = 0, None
        if answer.is_success:
            return answer.json() if answer.content else None
        told = answer.json() if answer.content else {}
        code = told.get("code", "")
        self._missing = [int(slot) for slot in told.get("missing", ())]
        self.refusals.append(code)
        if code in ("lease-taken", "not-started"):
            # Another seat writes, or the server lost its memory and gave out new leases: starting again tells.
            self._must_compare = True
        raise DrillRefused(f"candidate {self.card.number}: {method} {path}: {code or answer.status_code}")

    def _missed(self, trouble: str) -> None:
        self.failures += 1
        self.troubles.append(trouble)
        self._must_compare = True
        if self.offline_at is None:
            self.offline_at = time.monotonic()

    def _learn(self, deadline_ms: int) -> None:
        if deadline_ms and deadline_ms != self.deadline_ms:
            self.deadline_ms = deadline_ms
            self.learned.append((time.monotonic(), deadline_ms))


class _NoAnswer(Exception):
    """The server could not be asked; nothing is decided."""
