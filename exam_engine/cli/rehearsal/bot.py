"""A simulated candidate at a seat: the browser client's protocol over HTTP, with reloads and lost connections.

The bot keeps what the server acknowledged, so that the statement can compare it with what was stored and scored.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import msgspec
import numpy as np

from exam_engine.cli.rehearsal.simulator import Step
from scoring.values import ResponseValue

RETRY_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.0)
PATIENCE_SECONDS = 60.0


class RehearsalRefused(Exception):
    """The server refused what a correct client must be allowed to do."""

    def __init__(self, who: str, what: str, answer: str) -> None:
        self.who, self.what, self.answer = who, what, answer
        super().__init__(f"candidate {who}: {what} was refused: {answer}")


class Habits(msgspec.Struct, frozen=True):
    """How restless a candidate is."""

    batch: int = 1  # answers sent together at most
    at_once: int = 64  # candidates who act at the same time
    reload_probability: float = 0.02  # after a save, the page is loaded anew
    drop_probability: float = 0.02  # a save whose connection is cut before the answer comes


class Acknowledged(msgspec.Struct, frozen=True):
    """The newest answer of a slot that the server said it kept."""

    sequence: int
    value: ResponseValue


class Tally:
    """Counters and latencies that all bots share."""

    def __init__(self) -> None:
        self.save_seconds: list[float] = []
        self.saves = 0
        self.reloads = 0
        self.drops = 0
        self.retries = 0


class CandidateBot:
    """One candidate from sign-in to receipt."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        tally: Tally,
        exam: str,
        number: str,
        code: str,
        rng: np.random.Generator,
        habits: Habits,
    ) -> None:
        self.number = number
        self.attempt_id = ""
        self.acknowledged: dict[int, Acknowledged] = {}
        self.is_submitted = False
        self.form_hash = ""
        self.order: list[int] = []
        self._client, self._tally, self._exam, self._code = client, tally, exam, code
        self._rng, self._habits = rng, habits
        self._client_id = f"bot-{number}"
        self._headers: dict[str, str] = {}
        self._lease = 0
        self._sequence = 0

    async def check_in(self) -> None:
        """Sign in with the number and code of the card; remember the attempt."""
        body = {"exam": self._exam, "candidate_number": self.number, "code": self._code}
        answer = await self._call("POST", "/api/candidate/sign-in", body)
        self._headers = {"Authorization": f"Bearer {answer['token']}"}
        attempts = [attempt for attempt in answer["attempts"] if attempt["state"] in ("ready", "running")]
        if not attempts:
            raise RehearsalRefused(self.number, "sign-in", "no sitting is open for this candidate")
        self.attempt_id = attempts[0]["attempt_id"]

    async def start(self) -> None:
        """Start or resume the attempt and fetch the paper."""
        envelope = await self._call("POST", f"/api/attempts/{self.attempt_id}/start", {"client_id": self._client_id})
        self._lease = envelope["lease"]
        self.form_hash = envelope["form_hash"]
        self.order = [entry["slot"] for entry in envelope["ordering"]]
        self._sequence = max([self._sequence, *(response["sequence"] for response in envelope["responses"])])
        paper = await self._send("GET", f"/api/forms/{self.form_hash}", None)
        if len(paper.json()["items"]) != len(self.order):
            raise RehearsalRefused(self.number, "the paper", "it has not as many items as its ordering")

    async def sit(self, steps: Sequence[Step], on_save: Callable[[int], None]) -> None:
        """Answer step by step; sometimes the page reloads, sometimes the cable is pulled."""
        position = 0
        while position < len(steps):
            batch = steps[position : position + int(self._rng.integers(1, self._habits.batch + 1))]
            position += len(batch)
            responses = []
            for step in batch:
                self._sequence += 1
                responses.append(
                    {
                        "slot": step.slot,
                        "sequence": self._sequence,
                        "value": step.value,
                        "client_time_ms": time.time_ns() // 1_000_000,
                    }
                )
            await self._save(responses)
            on_save(len(batch))
            if self._rng.random() < self._habits.reload_probability:
                self._tally.reloads += 1
                await self.start()

    async def submit(self) -> None:
        """Hand the paper in; the server must hold every answer it acknowledged."""
        vector = {str(slot): kept.sequence for slot, kept in self.acknowledged.items()}
        body = {"lease": self._lease, "sequences": vector}
        answer = await self._call("POST", f"/api/attempts/{self.attempt_id}/submission", body)
        if answer["state"] != "submitted":
            raise RehearsalRefused(self.number, "submission", f"state is {answer['state']}")
        self.is_submitted = True

    async def _save(self, responses: list[dict[str, Any]]) -> None:
        path = f"/api/attempts/{self.attempt_id}/responses"
        body = {"lease": self._lease, "responses": responses}
        if self._rng.random() < self._habits.drop_probability:
            self._tally.drops += 1
            await self._cut_short(path, body)
        started = time.perf_counter()
        answer = await self._call("POST", path, body)
        self._tally.save_seconds.append(time.perf_counter() - started)
        self._tally.saves += len(responses)
        values = {(entry["slot"], entry["sequence"]): entry["value"] for entry in responses}
        for saved in answer["saved"]:
            kept = values.get((saved["slot"], saved["sequence"]))
            if (saved["slot"], saved["sequence"]) in values:
                self.acknowledged[saved["slot"]] = Acknowledged(saved["sequence"], kept)

    async def _cut_short(self, path: str, body: dict[str, Any]) -> None:
        """Send a save and hang up without waiting: the server may have kept it or not."""
        request = asyncio.create_task(self._client.post(path, json=body, headers=self._headers))
        await asyncio.wait({request}, timeout=0.001)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)

    async def _call(self, method: str, path: str, body: dict[str, Any]) -> Any:
        return (await self._send(method, path, body)).json()

    async def _send(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        """Send until answered: a server that is away for a moment is asked again, as the browser client does."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        for round_number in range(10_000):
            try:
                answer = await self._client.request(method, path, json=body, headers=self._headers)
            except httpx.TransportError as error:
                reason = type(error).__name__
            else:
                if answer.is_success:
                    return answer
                reason = answer.text[:300]
                if answer.status_code not in (502, 503, 504):
                    raise RehearsalRefused(self.number, f"{method} {path}", reason)
            if time.monotonic() > deadline:
                raise RehearsalRefused(self.number, f"{method} {path}", f"no answer in time: {reason}")
            self._tally.retries += 1
            pause = RETRY_SECONDS[min(round_number, len(RETRY_SECONDS) - 1)]
            await asyncio.sleep(pause * float(self._rng.uniform(0.5, 1.5)))
        raise AssertionError("unreachable")
