"""What a sitting freezes when it opens: the versions that serve it and the settings nobody may change any more.

Start and end are not among them: postponing moves them, and is audited. What changes the rest goes past the program.
"""

import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import msgspec

from exam_engine.assembly.model import PaperCode
from exam_engine.delivery.model import Sitting
from exam_engine.infra.migrations.standing import newest_revision

PACKAGE = "exam-engine"
_SETTINGS = ("form_id", "exam_subject_id", "duration_seconds", "late_limit_seconds", "grace_seconds", "shards", "seed")
_MOVED_BY_ACTS = {"room_delays"}


class Thaw(msgspec.Struct, frozen=True):
    """Something frozen that is not as it was."""

    name: str
    frozen: str
    now: str


def engine_version() -> str:
    """Return the version of the program."""
    return version(PACKAGE)


def frozen_plan(sitting: Sitting, form_hash: str, codes: Sequence[PaperCode]) -> dict[str, Any]:
    """Return what is kept beside a sitting from its opening on."""
    settings = {
        f"settings.{name}": value
        for name, value in msgspec.to_builtins(sitting.settings).items()
        if name not in _MOVED_BY_ACTS
    }
    papers = {f"paper_code.{code.code}": _digest(code) for code in codes}
    plan = {name: msgspec.to_builtins(getattr(sitting, name)) for name in _SETTINGS}
    return {
        "engine": engine_version(),
        "schema": newest_revision(),
        "form_hash": form_hash,
        **plan,
        **settings,
        **papers,
    }


def thaws(frozen: Mapping[str, Any], now: Mapping[str, Any]) -> list[Thaw]:
    """Return what of a frozen plan is not so now; a setting that came with a newer version is none."""
    return [Thaw(name, str(value), str(now.get(name, "–"))) for name, value in frozen.items() if now.get(name) != value]


def _digest(code: PaperCode) -> str:
    return hashlib.sha256(msgspec.json.encode([code.id, code.code, code.ordering])).hexdigest()
