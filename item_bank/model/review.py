"""The life of an item version: draft → submitted → reviewed → pilot → active → retired.

A version is frozen when it is first submitted: from then on a change makes a new version. It becomes active by
the decision of somebody who neither wrote nor submitted it.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from item_bank.errors import FourEyes, IllegalTransition
from item_bank.model.item import Item, Stimulus


class ItemState(StrEnum):
    """Where a version stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    REVIEWED = "reviewed"
    PILOT = "pilot"
    ACTIVE = "active"
    RETIRED = "retired"


class Step(StrEnum):
    """What may be done to a version."""

    SUBMIT = "submit"
    REVIEW = "review"
    PILOT = "pilot"
    APPROVE = "approve"
    RETURN = "return"
    RETIRE = "retire"


TRANSITIONS: Mapping[tuple[ItemState, Step], ItemState] = {
    (ItemState.DRAFT, Step.SUBMIT): ItemState.SUBMITTED,
    (ItemState.DRAFT, Step.RETIRE): ItemState.RETIRED,
    (ItemState.SUBMITTED, Step.REVIEW): ItemState.REVIEWED,
    (ItemState.SUBMITTED, Step.APPROVE): ItemState.ACTIVE,
    (ItemState.SUBMITTED, Step.RETURN): ItemState.DRAFT,
    (ItemState.SUBMITTED, Step.RETIRE): ItemState.RETIRED,
    (ItemState.REVIEWED, Step.PILOT): ItemState.PILOT,
    (ItemState.REVIEWED, Step.APPROVE): ItemState.ACTIVE,
    (ItemState.REVIEWED, Step.RETURN): ItemState.DRAFT,
    (ItemState.REVIEWED, Step.RETIRE): ItemState.RETIRED,
    (ItemState.PILOT, Step.APPROVE): ItemState.ACTIVE,
    (ItemState.PILOT, Step.RETIRE): ItemState.RETIRED,
    (ItemState.ACTIVE, Step.RETIRE): ItemState.RETIRED,
}

NEEDS_SECOND_PERSON = frozenset({Step.REVIEW, Step.APPROVE})


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """How far one version has come, and by whose hands."""

    state: ItemState = ItemState.DRAFT
    author: UUID
    submitted_by: UUID | None = None
    submitted_at: datetime | None = None
    approved_by: UUID | None = None
    approved_at: datetime | None = None
    frozen_at: datetime | None = None
    returned_comment: str | None = None

    @property
    def is_frozen(self) -> bool:
        """Whether its content can no longer change."""
        return self.frozen_at is not None


def submit(review: Review, by: UUID, at: datetime) -> Review:
    """Hand a draft in; its content is frozen from now on."""
    return msgspec.structs.replace(
        review,
        state=_next(review, Step.SUBMIT),
        submitted_by=by,
        submitted_at=at,
        frozen_at=review.frozen_at or at,
        returned_comment=None,
    )


def approve(review: Review, by: UUID, at: datetime) -> Review:
    """Make a version active; a second person's decision."""
    state = _next(review, Step.APPROVE)
    _require_second_person(review, by, Step.APPROVE)
    return msgspec.structs.replace(review, state=state, approved_by=by, approved_at=at)


def return_to_draft(review: Review, comment: str) -> Review:
    """Send a version back to its author with a reason; it stays frozen, so the repair is a new version."""
    return msgspec.structs.replace(review, state=_next(review, Step.RETURN), returned_comment=comment)


def retire(review: Review) -> Review:
    """Take a version out of use for new forms; forms that hold it keep it."""
    return msgspec.structs.replace(review, state=_next(review, Step.RETIRE))


def steps_from(state: ItemState) -> tuple[Step, ...]:
    """List the steps that exist from a state."""
    return tuple(step for (origin, step) in TRANSITIONS if origin is state)


def content_hash(item: Item | None, stimulus: Stimulus | None = None) -> str:
    """Fingerprint of what a candidate sees and how it is judged; equal content has an equal hash.

    A stimulus has one of its own: `content_hash(None, stimulus)`.
    """
    encoded = msgspec.json.encode([item, stimulus], order="deterministic")
    return hashlib.sha256(encoded).hexdigest()


def _next(review: Review, step: Step) -> ItemState:
    state = TRANSITIONS.get((review.state, step))
    if state is None:
        raise IllegalTransition(review.state.value, step.value)
    return state


def _require_second_person(review: Review, by: UUID, step: Step) -> None:
    if step in NEEDS_SECOND_PERSON and by in (review.author, review.submitted_by):
        raise FourEyes(step.value)
