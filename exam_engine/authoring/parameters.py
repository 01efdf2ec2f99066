"""Versioned parameters of items: what was accepted, from which calibration, and how sure it is. Nothing is overwritten.

They belong to an item version: content that changes begins without parameters.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from exam_engine.authoring.model import ItemVersionId


class ParameterState(StrEnum):
    """Whether a version may be used; taking one back is a version of its own."""

    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


class ItemParameters(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of one item on the logit scale (D = 1), in slope-intercept form as `scoring.irt` holds them.

    Attributes
    ----------
    model : name of a `scoring.irt` model
    d : intercepts, one fewer than there are categories
    b : difficulties or steps, for people: -d/a, steps of partial credit items
    ak : scoring of the categories of a nominal item; empty for all others
    categories : calibrated category of each raw one; (0, 0, 1, 2, 3) merged the lowest two
    """

    model: str
    a: float
    d: tuple[float, ...]
    b: tuple[float | None, ...]
    c: float = 0.0
    u: float = 1.0
    ak: tuple[float, ...] = ()
    categories: tuple[int, ...] = (0, 1)


class ParameterErrors(msgspec.Struct, frozen=True, kw_only=True):
    """Standard errors; `None` for what was not estimated."""

    a: float | None = None
    b: tuple[float | None, ...] = ()
    c: float | None = None
    u: float | None = None


class ParameterOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """The calibration a version comes from."""

    run_id: UUID
    run_number: int
    exam: str
    subject: str
    scale: str  # "own" of the run, "fixed" or "linked": on the scale of earlier accepted items
    n_candidates: int  # who answered the item


class ParameterVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version; a withdrawn one has neither parameters nor origin."""

    item_version_id: ItemVersionId
    number: int
    state: ParameterState
    parameters: ItemParameters | None
    errors: ParameterErrors | None
    origin: ParameterOrigin | None
    decided_by: str
    decided_at: datetime
    comment: str = ""


class AcceptedParameters(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked to become the newest version of an item."""

    item_version_id: ItemVersionId
    parameters: ItemParameters
    errors: ParameterErrors | None
    origin: ParameterOrigin


def version_before(history: Sequence[ParameterVersion], run_id: UUID) -> ParameterVersion | None:
    """Return what held before the parameters of a run, the newest ones, were accepted; none if nothing did.

    `history` is in order of number. A version restored by an undo ends everything accepted after it.
    """
    standing: list[ParameterVersion] = []
    for version in history:
        if version.origin is None:
            standing = []
            continue
        runs = [held.origin.run_id for held in standing if held.origin is not None]
        if version.origin.run_id in runs:
            standing = standing[: runs.index(version.origin.run_id) + 1]
        else:
            standing.append(version)
    is_newest = bool(standing) and standing[-1].origin is not None and standing[-1].origin.run_id == run_id
    return standing[-2] if is_newest and len(standing) > 1 else None
