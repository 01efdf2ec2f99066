"""Scores by item response theory as pure values: order, runs and scores; the scale is that of `scoring.standards`."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

import msgspec

from exam_engine.authoring.parameters import ItemParameters
from exam_engine.enrolment.model import CandidateId
from scoring.standards import ReportingScale

IrtRunId = NewType("IrtRunId", UUID)
STANDARD_SCALE = ReportingScale(intercept=500.0, slope=100.0, lowest=200.0, highest=800.0)
MOST_DECIMALS = 2
"""Scores are kept in hundredths."""


class Estimator(StrEnum):
    """How ability is estimated from responses."""

    EAP = "eap"  # mean of the posterior under a standard normal population of the parameters' scale
    WLE = "wle"  # Warm's weighted likelihood: without a population, finite for extreme responses


class IrtOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody asks for; `is_partial` lets scored items without accepted parameters be left out."""

    estimator: Estimator = Estimator.EAP
    scale: ReportingScale = STANDARD_SCALE
    is_partial: bool = False


class UsedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item that counted, with the parameters exactly as they were used."""

    item_version_id: UUID
    code: str
    parameter_version: int
    parameters: ItemParameters


class IrtScore(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate's ability and reported score."""

    candidate_id: CandidateId
    attempt_id: UUID
    theta: float
    se: float
    score: int  # hundredths of the reporting scale
    score_se: int  # hundredths of the reporting scale
    n_items: int


class IrtRun(msgspec.Struct, frozen=True, kw_only=True):
    """One scoring of a sitting by item response theory; never changed."""

    id: IrtRunId
    sitting_id: UUID
    number: int
    estimator: Estimator
    scale: ReportingScale
    items: tuple[UsedItem, ...]
    key_version: int
    input_hash: str
    n_scored: int
    reliability: float | None
    reason: str
    created_by: str
    created_at: datetime


class IrtRunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list of runs."""

    id: IrtRunId
    subject_code: str
    subject_name: str
    sitting_code: str
    sitting_id: UUID
    number: int
    estimator: Estimator
    n_items: int
    n_scored: int
    reliability: float | None
    mean: int | None  # hundredths of the reporting scale
    created_by: str
    created_at: datetime
    reason: str


def irt_input_hash(order: IrtOrder, items: Sequence[UsedItem], rows: Sequence[tuple[UUID, bytes]]) -> str:
    """Hash everything a run depends on: equal hashes mean equal scores."""
    encode = msgspec.json.Encoder(order="sorted").encode
    digest = hashlib.sha256(encode([order, list(items)]))
    for attempt_id, categories in sorted(rows):
        digest.update(attempt_id.bytes)
        digest.update(categories)
    return digest.hexdigest()
