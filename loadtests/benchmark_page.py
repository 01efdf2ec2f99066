"""Sections of docs/benchmarks.md, each between marks of its own, so that a benchmark replaces only what it measured."""

import os
import platform
from pathlib import Path

PAGE = Path("docs/benchmarks.md")
HEAD = "# Benchmarks\n\nRatios measured in one run against a stated yardstick.\n"


def write_section(name: str, title: str, text: str) -> None:
    """Write a section, in its old place if it has one."""
    begin, end = f"<!-- {name} begins -->", f"<!-- {name} ends -->"
    page = PAGE.read_text("utf-8") if PAGE.exists() else HEAD
    section = f"{begin}\n## {title}\n\n{text}\n{end}"
    if begin in page:
        head, rest = page.split(begin, 1)
        page = head + section + rest.split(end, 1)[1]
    else:
        page = page.rstrip("\n") + "\n\n" + section + "\n"
    PAGE.write_text(page, "utf-8")


def machine_line() -> str:
    """Return what the figures were measured on."""
    cores = len(os.sched_getaffinity(0))
    return (
        f"Python {platform.python_version()}, {platform.machine()}, {cores} cores, "
        f"load average {os.getloadavg()[0]:.1f} at the end."
    )
