"""`exam-engine sitting check` and `sitting simulate-day`: a day looked at before it happens."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer

from exam_engine.cli import console
from exam_engine.delivery import service as sittings
from exam_engine.delivery.store import SittingContext
from exam_engine.overviews.exam_day import service
from exam_engine.overviews.exam_day.findings import DayCheck, Finding, Severity
from exam_engine.overviews.exam_day.gathering import sittings_of_day
from exam_engine.overviews.exam_day.service import Grounds
from exam_engine.overviews.exam_day.simulation import DaySimulation, Habits, Pause

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
COLOURS = {Severity.BLOCKER: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
BLOCKS = " ▁▂▃▄▅▆▇█"
PEAKS = {
    "starts": "starts a second",
    "saves": "saves a second",
    "questions": "questions for the time a second",
    "submissions": "submissions a second",
    "closings": "papers closed by time a second",
    "seats_open": "seats writing",
}
MOMENTS = {
    "waiting-room": "waiting room opens",
    "start": "starts",
    "room-start": "a postponed room starts",
    "late-limit": "last moment to start",
    "pause": "pause",
    "resume": "goes on",
    "first-deadline": "first deadline",
    "last-deadline": "last deadline",
    "end": "ends",
}


class Simulated(msgspec.Struct, frozen=True, kw_only=True):
    """A simulated day, with what contradicts itself in its plan."""

    date: str
    sittings: tuple[str, ...]
    day: DaySimulation
    conflicts: tuple[Finding, ...]


def check(
    sitting: Annotated[str | None, typer.Argument(help="Code of the sitting.")] = None,
    day: Annotated[datetime | None, typer.Option(help="All sittings of a day.", formats=["%Y-%m-%d"])] = None,
    as_json: JsonOption = False,
) -> None:
    """Look for everything that would hurt a sitting or a day: plan, papers, rooms, people, versions, clocks, disk.

    Exit code 1 if anything must not stay so.

    Example: exam-engine sitting check --day 2027-06-10
    """
    if (sitting is None) == (day is None):
        raise typer.BadParameter("name a sitting or a day", param_hint="SITTING or --day")

    async def act() -> DayCheck:
        async with console.engine() as engine, engine.sessions() as session:
            zone = engine.settings.time_zone
            contexts = await _contexts(session, sitting, day.date() if day else None, zone)
            grounds = Grounds(
                session=session,
                redis=engine.redis,
                data_folder=engine.settings.data_folder,
                clock=engine.clock,
                time_zone=zone,
            )
            return await service.check_day(grounds, contexts)

    found = console.run(act())
    if as_json:
        console.emit(_with_words(found), as_json=True)
    else:
        _show_findings(
            f"{len(found.sittings)} sitting{'' if len(found.sittings) == 1 else 's'}: {', '.join(found.sittings)}",
            found.findings,
        )
        _print(f"[dim]looked at: {', '.join(found.looked_at)}[/dim]")
    if found.is_blocked:
        raise typer.Exit(console.REFUSED)


def simulate_day(
    date: Annotated[datetime, typer.Option(help="The day.", formats=["%Y-%m-%d"])],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same day.")] = 2027,
    save_seconds: Annotated[float, typer.Option(min=1.0, max=600.0, help="Between two saves of a seat.")] = 15.0,
    absent: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of candidates who do not come.")] = 0.01,
    late: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of candidates who start late.")] = 0.03,
    pause: Annotated[
        list[str] | None,
        typer.Option(help="SITTING@HH:MM+MINUTES or SITTING/ROOM@HH:MM+MINUTES: a stop to rehearse. Repeatable."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the whole clock of a day in seconds: starts, deadlines, extra time, pauses, closings; peaks and conflicts.

    Exit code 1 if its plan contradicts itself or somebody would get less time than promised.

    Example: exam-engine sitting simulate-day --date 2027-06-10 --pause CA-1/P01@08:00+5
    """

    async def act() -> tuple[Simulated, str]:
        async with console.engine() as engine, engine.sessions() as session:
            zone = engine.settings.time_zone
            contexts = await _contexts(session, None, date.date(), zone)
            pauses = [_pause(text, date, zone) for text in pause or ()]
            known = {context.sitting.code for context in contexts}
            for one in pauses:
                if one.sitting not in known:
                    console.refuse(f"--pause: there is no sitting {one.sitting} on that day")
            habits = Habits(save_seconds=save_seconds, absent=absent, late=late)
            simulated, conflicts = await service.simulate(
                session, contexts, habits=habits, pauses=pauses, seed=seed, time_zone=zone, now=engine.clock()
            )
            codes = tuple(context.sitting.code for context in contexts)
            return Simulated(date=f"{date:%Y-%m-%d}", sittings=codes, day=simulated, conflicts=conflicts), zone

    found, zone = console.run(act())
    if as_json:
        plain: dict[str, Any] = msgspec.to_builtins(found)
        console.emit(plain | {"conflicts": _worded(found.conflicts)}, as_json=True)
    else:
        _show_day(found, ZoneInfo(zone))
    if found.day.cut_short or any(one.severity is Severity.BLOCKER for one in found.conflicts):
        raise typer.Exit(console.REFUSED)


async def _contexts(session: Any, sitting: str | None, day: date | None, zone: str) -> list[SittingContext]:
    if sitting is not None:
        return [await sittings.load_sitting(session, sitting)]
    assert day is not None  # noqa: S101 (one of both is given)
    found = await sittings_of_day(session, day, zone)
    if not found:
        console.refuse(f"no sitting is planned or open on {day}")
    return found


def _pause(text: str, day: datetime, zone: str) -> Pause:
    try:
        where, _, when = text.rpartition("@")
        clock, _, minutes = when.partition("+")
        at = time.fromisoformat(clock)
        code, _, room = where.partition("/")
        seconds = 60 * int(minutes)
        if not code or seconds <= 0:
            raise ValueError
    except ValueError as error:
        form = "SITTING@HH:MM+MINUTES or SITTING/ROOM@HH:MM+MINUTES"
        raise typer.BadParameter(f"{text!r} is not {form}", param_hint="--pause") from error
    return Pause(sitting=code, room=room, at=datetime.combine(day.date(), at, ZoneInfo(zone)), seconds=seconds)


def _worded(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(one) | {"text": str(one.message)} for one in findings]


def _with_words(found: DayCheck) -> dict[str, Any]:
    return {
        "sittings": found.sittings,
        "is_blocked": found.is_blocked,
        "looked_at": found.looked_at,
        "findings": _worded(found.findings),
    }


def _show_findings(title: str, findings: Sequence[Finding]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("", "where", "what"):
        table.add_column(name, overflow="fold")
    for one in findings:
        table.add_row(Text(one.severity.value, style=COLOURS[one.severity]), Text(one.place), Text(str(one.message)))
    counts = {severity: sum(one.severity is severity for one in findings) for severity in Severity}
    _print(table if findings else f"{title}\n[green]nothing found[/green]")
    _print(", ".join(f"{count} {severity.value}{'' if count == 1 else 's'}" for severity, count in counts.items()))


def _show_day(found: Simulated, zone: ZoneInfo) -> None:
    from rich.table import Table

    day = found.day
    table = Table(title=f"{found.date}", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("time", "sitting", "what"):
        table.add_column(name)
    table.add_column("seats", justify="right")
    for one in day.timeline:
        at = one.at.astimezone(zone)
        # A practice sitting ends long after its day.
        clock = f"{at:%H:%M:%S}" if f"{at:%Y-%m-%d}" == found.date else f"{at:%H:%M:%S, %Y-%m-%d}"
        table.add_row(clock, one.sitting, MOMENTS[one.what], f"{one.seats:,}" if one.seats else "")
    _print(table)
    peaks = Table(title="busiest seconds", title_justify="left", box=None, padding=(0, 2, 0, 0))
    peaks.add_column("what")
    peaks.add_column("most", justify="right")
    peaks.add_column("at")
    for name, peak in day.peaks.items():
        peaks.add_row(PEAKS[name], f"{peak.per_second:,}", peak.at.astimezone(zone).strftime("%H:%M:%S"))
    _print(peaks)
    most = max([count for _, count in day.open_seats], default=0) or 1
    bars = "".join(BLOCKS[-(-count * 8 // most)] for _, count in day.open_seats)
    first, last = (day.open_seats[i][0].astimezone(zone).strftime("%H:%M") for i in (0, -1))
    _print(f"seats writing, each quarter of an hour: {first} {bars} {last}")
    _print(
        f"{day.seats:,} seats, {day.absent:,} absent, {day.submitted:,} handed in, {day.closed_by_time:,} closed by "
        f"time, {day.refused_late:,} too late, {day.cut_short:,} with less time than promised, {day.saves:,} saves"
    )
    if found.conflicts:
        _show_findings("the plan", found.conflicts)


def _print(renderable: Any) -> None:
    from rich.console import Console

    # As wide as the terminal; in a pipe wide enough that no line is broken where a program would look for it.
    screen = Console(highlight=False)
    (screen if screen.is_terminal else Console(highlight=False, width=200)).print(renderable)
