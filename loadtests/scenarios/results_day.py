"""08:00 on results day: every family asks, some mistype, many ask again."""

import asyncio
import random

import msgspec

from loadtests.arrivals import at_the_bell
from loadtests.candidate_bot.seat import Card
from loadtests.http import Answer, Connection, request_bytes
from loadtests.stage import EXAM, Stage

SPAN_SECONDS = 30.0
ASKS_EACH = 2
PATH = "/api/results/look-up"


async def run(stage: Stage) -> list[str]:
    """Close, score and publish, then let every family ask; nobody sits any more."""
    for seat in stage.seats:
        seat.leave()
    stage.tell("closing, scoring and publishing …")
    await _publish(stage)
    rng = random.Random(stage.seed)
    cards = [card for card in stage.cards for _ in range(ASKS_EACH)]
    rng.shuffle(cards)
    await stage.begin_measuring()
    stage.tell(f"{len(cards)} look-ups within {SPAN_SECONDS:.0f} s …")
    moments = at_the_bell(len(cards), SPAN_SECONDS, rng)
    gaps = await asyncio.gather(*(_ask(stage, card, moment) for card, moment in zip(cards, moments, strict=True)))
    await stage.end_measuring()
    return [gap for gap in gaps if gap]


async def _publish(stage: Stage) -> None:
    board, second = await stage.staff("board"), await stage.staff("board2")
    await board.post(f"/api/sittings/{stage.sitting['id']}/close")
    await board.post(f"/api/exams/{EXAM}/score-runs", {"reason": "Chấm lần đầu"})
    await board.post(f"/api/exams/{EXAM}/graduation-runs", {})
    release = await board.post(f"/api/exams/{EXAM}/releases", {"release_at": stage.engine.clock().isoformat()})
    await second.post(f"/api/releases/{release['id']}/approve")


async def _ask(stage: Stage, card: Card, moment: float) -> str:
    await asyncio.sleep(moment)
    town = stage.town
    done: asyncio.Future[Answer | None] = town.loop.create_future()
    connection = Connection(town.loop, town.host, town.port)
    body = msgspec.json.encode({"exam": card.exam, "candidate_number": card.number, "code": card.look_up_code})
    began = town.loop.time()
    connection.ask(request_bytes("POST", PATH, town.host, body=body), done.set_result)
    answer = await done
    connection.close()
    if answer is None or answer.status != 200:
        stage.tally.fail("look-up", "no answer" if answer is None else str(answer.status))
        return ""
    stage.tally.time("look-up", began, town.loop.time() - began)
    shown = msgspec.json.decode(answer.body)["candidate_number"]
    return "" if shown == card.number else f"candidate {card.number} was shown the result of {shown}"
