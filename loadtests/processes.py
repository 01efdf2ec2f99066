"""CPU time of an installation's processes, read from /proc: who works how much for one operation."""

import os
from collections.abc import Mapping
from pathlib import Path

_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
_PARTS = (
    ("valkey-server", "valkey"),
    ("granian", "api"),
    ("write-behind", "write-behind"),
    ("timer", "timer"),
    ("jobs", "jobs"),
    ("postgres", "postgresql"),
)


def cpu_seconds(parent: int, without: int = 0) -> Mapping[str, float]:
    """Return the CPU seconds used so far below a process, by part of the installation; `without` one of them."""
    parents, commands, used = _table()
    spent: dict[str, float] = {}
    for process in commands:
        if process != without and _is_below(process, parent, parents):
            part = _part_of(process, parents, commands)
            spent[part] = spent.get(part, 0.0) + used[process]
    return spent


def difference(after: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    """Return what was used between two readings."""
    return {part: round(seconds - before.get(part, 0.0), 3) for part, seconds in after.items()}


def _table() -> tuple[dict[int, int], dict[int, str], dict[int, float]]:
    parents: dict[int, int] = {}
    commands: dict[int, str] = {}
    used: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        process = int(entry.name)
        parents[process] = int(fields[1])
        commands[process] = command
        used[process] = (int(fields[11]) + int(fields[12])) * _TICK_SECONDS
    return parents, commands, used


def _is_below(process: int, ancestor: int, parents: Mapping[int, int]) -> bool:
    while process > 1:
        if process == ancestor:
            return True
        process = parents.get(process, 0)
    return False


def _part_of(process: int, parents: Mapping[int, int], commands: Mapping[int, str]) -> str:
    """Name a process by itself or its nearest ancestor that has a name: workers are forks."""
    while process > 1:
        for word, part in _PARTS:
            if word in commands.get(process, ""):
                return part
        process = parents.get(process, 0)
    return "other"
