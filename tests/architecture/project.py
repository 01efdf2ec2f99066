"""Where the project lies and what is in it, for the tests of its rules."""

import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "exam_engine", "item_bank", "scoring", "loadtests")


def files(*suffixes: str, under: tuple[str, ...] = ("",)) -> list[Path]:
    """Files of the project that are not ignored, whether or not they are committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *(u for u in under if u)],
        cwd=PROJECT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    found = (PROJECT / name for name in listed.split("\0") if name)
    return sorted(path for path in found if path.is_file() and (not suffixes or path.suffix in suffixes))
