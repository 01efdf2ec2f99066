"""Processes by number *and* birth: a number alone may belong to somebody else after a crash or a reboot."""

import os
import signal
import subprocess
import time
from pathlib import Path

import msgspec


class ProcessMark(msgspec.Struct, frozen=True):
    """A process of ours: its number, when it was born (in the system's own words), and what it is for."""

    name: str
    pid: int
    birth: str


def mark(name: str, pid: int) -> ProcessMark:
    """Describe a living process, so that it can be recognised later."""
    return ProcessMark(name, pid, _birth(pid) or "")


def is_alive(process: ProcessMark) -> bool:
    """Tell whether that very process still lives; another one with its number does not count."""
    birth = _birth(process.pid)
    return birth is not None and birth == process.birth


def send(process: ProcessMark, signal_number: int) -> None:
    """Signal a process if it is still the one we marked."""
    if is_alive(process):
        try:
            os.kill(process.pid, signal_number)
        except (ProcessLookupError, PermissionError):
            return


def end_group(pid: int) -> None:
    """Kill what is left of the session a dead child led; a group number cannot be reused while it has members."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def holders_of(path: Path) -> list[int]:
    """Numbers of the processes that hold a file open, as far as the system tells (Linux only)."""
    found: list[int] = []
    wanted = str(path.resolve())
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            names = {str(entry.readlink()) for entry in folder.iterdir()}
        except OSError:
            continue
        if wanted in names and int(folder.parent.name) != os.getpid():
            found.append(int(folder.parent.name))
    return sorted(found)


def wait_until_gone(processes: list[ProcessMark], seconds: float) -> list[ProcessMark]:
    """Wait for processes that are not our children to end; return those that still live."""
    deadline = time.monotonic() + seconds
    left = [process for process in processes if is_alive(process)]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [process for process in left if is_alive(process)]
    return left


def _birth(pid: int) -> str | None:
    status = Path(f"/proc/{pid}/stat")
    try:
        # The name in parentheses may hold anything, so count behind the last one: field 22 is the start in clock ticks.
        fields = status.read_text("utf-8", errors="replace").rpartition(")")[2].split()
    except FileNotFoundError:
        return None if Path("/proc/self").exists() else _birth_by_ps(pid)
    except (ProcessLookupError, PermissionError):
        return None
    return None if fields[0] == "Z" else f"{_boot()}:{fields[19]}"


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def _birth_by_ps(pid: int) -> str | None:
    answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None
