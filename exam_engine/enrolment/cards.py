"""Cards at the door: whose they are, read for many at once, and whether the code on them is right."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, String, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.enrolment import codes
from exam_engine.enrolment.errors import CodeExpired, CodeRefused
from exam_engine.enrolment.model import CodeClaim
from exam_engine.enrolment.tables import CandidateRow, ExamRow
from exam_engine.identity.tables import OrgUnitRow

CardKey = tuple[str, str]
"""Code of the exam, number of the candidate."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A card as it was issued last, and who holds it."""

    exam_id: UUID
    exam_code: str
    exam_name: str
    codes_valid_until: datetime | None
    code_version: int
    candidate_id: UUID
    number: str
    full_name: str
    school: str


def card_key(claim: CodeClaim) -> CardKey:
    """Return what a claim names, without what people type around it and the one character PostgreSQL refuses."""
    exam_code, number = (text.replace("\x00", "").strip() for text in (claim.exam_code, claim.number))
    return exam_code, number


async def load_cards(session: AsyncSession, keys: Sequence[CardKey]) -> Mapping[CardKey, Card]:
    """Load the cards of these numbers by one statement."""
    rows = await session.execute(CARDS, wanted_cards(keys))
    found = [Card(**row) for row in rows.mappings()]
    return {(card.exam_code, card.number): card for card in found}


def wanted_cards(keys: Sequence[CardKey]) -> dict[str, Any]:
    """Return the parameters of `CARDS`."""
    return {"exams": [exam for exam, _ in keys], "numbers": [number for _, number in keys]}


def require_card(card: Card | None, claim: CodeClaim, *, secret: bytes, now: datetime) -> Card:
    """Return a card that was found if the code on it is right; an unknown number costs and answers the same.

    Raises
    ------
    CodeRefused, CodeExpired
    """
    exam_code, number = card_key(claim)
    version = card.code_version if card is not None else 1
    is_right = codes.code_matches(secret, claim.purpose, exam_code, number, version, claim.code)
    if card is None or not is_right:
        raise CodeRefused
    if card.codes_valid_until is not None and now >= card.codes_valid_until:
        raise CodeExpired(card.codes_valid_until)
    return card


_WANTED = select(
    func.unnest(bindparam("exams", type_=ARRAY(String))).label("exam_code"),
    func.unnest(bindparam("numbers", type_=ARRAY(String))).label("number"),
).subquery("wanted")

CARDS = (
    select(
        ExamRow.id.label("exam_id"),
        ExamRow.code.label("exam_code"),
        ExamRow.name.label("exam_name"),
        ExamRow.codes_valid_until,
        CandidateRow.code_version,
        CandidateRow.id.label("candidate_id"),
        CandidateRow.number,
        CandidateRow.full_name,
        func.coalesce(OrgUnitRow.name, "").label("school"),
    )
    .select_from(_WANTED)
    .join(ExamRow, ExamRow.code == _WANTED.c.exam_code)
    .join(CandidateRow, (CandidateRow.exam_id == ExamRow.id) & (CandidateRow.number == _WANTED.c.number))
    .outerjoin(OrgUnitRow, OrgUnitRow.id == CandidateRow.school_unit_id)
)
"""The cards of `wanted_cards`; a room above may add columns of its own about exam and candidate."""
