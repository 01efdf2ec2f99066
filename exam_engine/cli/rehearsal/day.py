"""One exam day over HTTP: open, check in, answer, hand in, close, score, release, look up, admit, compare.

The database is read only at the end, for the comparison; everything that happens on the day happens over HTTP.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import msgspec

from exam_engine.cli.rehearsal.bot import CandidateBot, Habits, RehearsalRefused, Tally
from exam_engine.cli.rehearsal.simulator import Slot, TrueItem, answering_steps
from exam_engine.cli.rehearsal.staff import StaffClient
from exam_engine.cli.rehearsal.statement import DayStatement, differences_of, latency_of
from exam_engine.delivery.store.attempts import load_stored_values
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.codes import look_up_code, sit_code
from exam_engine.infra.database import transaction
from exam_engine.infra.randomness import generator
from exam_engine.sample.true_items import true_parameters
from exam_engine.wiring import Engine
from scoring.keys.values import Key
from scoring.values import ResponseValue

PASSWORD = "demo-only-2027"  # noqa: S105 (of the sample's invented people)

Place = tuple[str, int]
"""Candidate number and slot."""

Tell = Callable[[str, int, int], None]
"""Called with a stage, the steps done now, and their number in all (0: unchanged)."""


class ExamOfDay(msgspec.Struct, frozen=True):
    """One exam that is sat, with the true abilities by candidate number."""

    code: str
    abilities: Mapping[str, float]
    admits: bool = False


class Sat(msgspec.Struct, frozen=True):
    """What came out of one exam's sitting."""

    subject: str
    bots: list[CandidateBot]
    stored: dict[Place, ResponseValue]
    runs: list[dict[str, Any]]
    scores: dict[str, dict[str, Any]]
    differences: list[str]


class Day:
    """A day on a running engine."""

    def __init__(self, engine: Engine, base_url: str, seed: int, habits: Habits, tell: Tell) -> None:
        self._engine, self._base_url, self._seed, self._habits, self._tell = engine, base_url, seed, habits, tell
        self._at_once = habits.at_once
        self._tally = Tally()
        self._answering_seconds = 0.0

    async def run(self, exams: Sequence[ExamOfDay], *, looks_up: bool = True) -> DayStatement:
        """Walk through the whole day; `looks_up` lets every family look result and decision up at the end.

        Raises
        ------
        RehearsalRefused
            The engine refused something a day needs.
        """
        limits = httpx.Limits(max_connections=self._at_once + 8, max_keepalive_connections=self._at_once)
        sat: dict[str, Sat] = {}
        looked_up = decisions = 0
        async with (
            httpx.AsyncClient(base_url=self._base_url, timeout=20.0, limits=limits) as seats,
            StaffClient(self._base_url, "board") as board,
            StaffClient(self._base_url, "board2") as second,
            StaffClient(self._base_url, "admission") as office,
            StaffClient(self._base_url, "admission2") as second_office,
        ):
            for person in (board, second, office, second_office):
                await person.sign_in(PASSWORD)
            for exam in exams:
                sat[exam.code] = await self._sit(exam, seats, board)
            for exam in exams:
                await self._release(exam, board, second)
                if looks_up:
                    looked_up += await self._look_up(exam, sat[exam.code], seats)
                if exam.admits:
                    await self._admit(exam, office, second_office)
                if exam.admits and looks_up:
                    decisions += len(await self._ask_all(exam, seats, "/api/admission/look-up"))
        return self._statement(sat, looked_up, decisions)

    async def _sit(self, exam: ExamOfDay, seats: httpx.AsyncClient, board: StaffClient) -> Sat:
        (sitting,) = [s for s in await board.get("/api/sittings", exam=exam.code) if s["state"] != "closed"]
        await board.post(f"/api/sittings/{sitting['id']}/open")
        slots = await self._slots(board, sitting["form_id"])
        bots = await self._check_in(exam, seats)
        started = time.perf_counter()
        self._tell(f"{exam.code}: answering", 0, len(bots))
        gate = asyncio.Semaphore(self._at_once)

        async def seat(person: int, bot: CandidateBot) -> None:
            async with gate:
                await bot.start()
                theta = exam.abilities[bot.number]
                steps = answering_steps(slots, bot.order, theta, self._seed, person)
                await bot.sit(steps, lambda _: None)
                await bot.submit()
                self._tell("", 1, 0)

        await _all(seat(person, bot) for person, bot in enumerate(bots))
        self._answering_seconds += time.perf_counter() - started
        await board.post(f"/api/sittings/{sitting['id']}/close")
        statement = await board.get(f"/api/sittings/{sitting['id']}/reconciliation")
        runs = await board.post(f"/api/exams/{exam.code}/score-runs", {"reason": "Chấm lần đầu"})
        scores = await board.get(f"/api/score-runs/{runs[0]['id']}/scores")
        differences = [f"{exam.code}: {gap}" for gap in statement["gaps"]]
        async with transaction(self._engine.sessions) as session:
            stored = await load_stored_values(session, sitting["id"])
        return Sat(sitting["subject"], bots, stored, runs, scores, differences)

    async def _check_in(self, exam: ExamOfDay, seats: httpx.AsyncClient) -> list[CandidateBot]:
        """Hand out the cards and sign everybody in."""
        async with transaction(self._engine.sessions) as session:
            described = await enrolment.require_exam(session, exam.code)
            candidates = await enrolment.load_candidates(session, described.id)
        bots = []
        for place, candidate in enumerate(candidates):
            number = candidate.number or ""
            code = sit_code(self._engine.master_secret, exam.code, number, candidate.code_version)
            rng = generator(self._seed, 1, place)
            bots.append(CandidateBot(seats, self._tally, exam.code, number, code, rng, self._habits))
        self._tell(f"{exam.code}: check-in", 0, len(bots))
        gate = asyncio.Semaphore(self._at_once)

        async def enter(bot: CandidateBot) -> None:
            async with gate:
                await bot.check_in()
                self._tell("", 1, 0)

        await _all(enter(bot) for bot in bots)
        return bots

    async def _slots(self, board: StaffClient, form_id: str) -> list[Slot]:
        """Return what simulated candidates know of the form: the key comes from the board, the truth from here."""
        entries = await board.get(f"/api/staff/forms/{form_id}/key")
        truths = true_parameters([entry["item"] for entry in entries], self._seed)
        return [
            Slot(
                number=entry["slot"],
                kind=entry["kind"],
                options=tuple(entry["options"]),
                key=msgspec.convert(entry["key"], Key),
                item=TrueItem(truths[entry["item"]].a, truths[entry["item"]].b, truths[entry["item"]].c),
            )
            for entry in entries
        ]

    async def _release(self, exam: ExamOfDay, board: StaffClient, second: StaffClient) -> None:
        if not exam.admits:
            await board.post(f"/api/exams/{exam.code}/graduation-runs", {})
        moment = self._engine.clock().isoformat()
        release = await board.post(f"/api/exams/{exam.code}/releases", {"release_at": moment})
        await second.post(f"/api/releases/{release['id']}/approve")

    async def _look_up(self, exam: ExamOfDay, sat: Sat, seats: httpx.AsyncClient) -> int:
        """Every parent looks the result up; what the page says must be what was scored."""
        self._tell(f"{exam.code}: look-up", 0, len(sat.bots))
        count = 0
        for result in await self._ask_all(exam, seats, "/api/results/look-up"):
            number = result["candidate_number"]
            shown = next((s["score"] for s in result["subjects"] if s["code"] == sat.subject), None)
            if shown != sat.scores[number]["total"]:
                sat.differences.append(f"look-up: candidate {number} is shown another score than the run has")
            count += 1
        return count

    async def _admit(self, exam: ExamOfDay, office: StaffClient, second: StaffClient) -> None:
        self._tell(f"{exam.code}: admission", 0, len(exam.abilities))
        run = await office.post(f"/api/exams/{exam.code}/allocation-runs", {})
        await second.post(f"/api/allocation-runs/{run['id']}/release", {})

    async def _ask_all(self, exam: ExamOfDay, seats: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
        async with transaction(self._engine.sessions) as session:
            described = await enrolment.require_exam(session, exam.code)
            candidates = await enrolment.load_candidates(session, described.id)
        gate = asyncio.Semaphore(self._at_once)

        async def ask(number: str, version: int) -> dict[str, Any]:
            code = look_up_code(self._engine.master_secret, exam.code, number, version)
            body = {"exam": exam.code, "candidate_number": number, "code": code}
            async with gate:
                answer = await seats.post(path, json=body)
            if not answer.is_success:
                raise RehearsalRefused(number, path, answer.text[:300])
            self._tell("", 1, 0)
            found: dict[str, Any] = answer.json()
            return found

        tasks = [ask(c.number or "", c.code_version) for c in candidates]
        return list(await asyncio.gather(*tasks))

    def _statement(self, sat: Mapping[str, Sat], looked_up: int, decisions: int) -> DayStatement:
        acknowledged: dict[Place, ResponseValue] = {}
        stored: dict[Place, ResponseValue] = {}
        scored: dict[Place, object] = {}
        differences: list[str] = []
        papers, answers, scores = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
        for code, outcome in sat.items():
            told = {(bot.number, slot): kept.value for bot in outcome.bots for slot, kept in bot.acknowledged.items()}
            counted = {(number, int(slot)): None for number, score in outcome.scores.items() for slot in score["slots"]}
            # A score has every slot of the form; those that were answered are the ones to compare.
            counted = {place: None for place in counted if place in told}
            differences += outcome.differences
            differences += differences_of(f"{code} stored", told, outcome.stored)
            differences += differences_of(f"{code} scored", dict.fromkeys(told), counted)
            acknowledged |= told
            stored |= outcome.stored
            scored |= counted
            for bot in sorted(outcome.bots, key=lambda bot: bot.number):
                papers.update(f"{bot.number} {bot.order};".encode())
            answers.update(msgspec.json.encode(sorted((n, s, v) for (n, s), v in outcome.stored.items())))
            scores.update(msgspec.json.encode(sorted((n, s["total"]) for n, s in outcome.scores.items())))
        bots = [bot for outcome in sat.values() for bot in outcome.bots]
        return DayStatement(
            candidates=len(bots),
            submitted=sum(bot.is_submitted for bot in bots),
            acknowledged=len(acknowledged),
            stored=len(stored),
            scored=len(scored),
            looked_up=looked_up,
            decisions=decisions,
            differences=tuple(differences),
            saves=self._tally.saves,
            reloads=self._tally.reloads,
            drops=self._tally.drops,
            retries=self._tally.retries,
            seconds=self._answering_seconds,
            latency_ms=latency_of(self._tally),
            papers_digest=papers.hexdigest(),
            answers_digest=answers.hexdigest(),
            scores_digest=scores.hexdigest(),
        )


async def _all(work: Any) -> None:
    """Run everything; the first refusal ends the others at once."""
    try:
        async with asyncio.TaskGroup() as group:
            for task in work:
                group.create_task(task)
    except* RehearsalRefused as refused:
        raise refused.exceptions[0] from None
