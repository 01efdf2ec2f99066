"""Allocation of places, pure: deferred acceptance with score limits, four tie rules, offsets by rank, and reasons."""

from exam_engine.admission.allocation.allocate import Allocation, allocate
from exam_engine.admission.allocation.errors import InstanceInvalid
from exam_engine.admission.allocation.model import (
    ASPIRATION_RANK,
    Applicant,
    Aspiration,
    Instance,
    LastLevel,
    Programme,
    Rules,
    TieRule,
)
from exam_engine.admission.allocation.outcome import ApplicantOutcome, ProgrammeOutcome, Reason, ReasonCode

__all__ = [
    "ASPIRATION_RANK",
    "Allocation",
    "Applicant",
    "ApplicantOutcome",
    "Aspiration",
    "Instance",
    "InstanceInvalid",
    "LastLevel",
    "Programme",
    "ProgrammeOutcome",
    "Reason",
    "ReasonCode",
    "Rules",
    "TieRule",
    "allocate",
]
