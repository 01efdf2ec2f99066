"""The life of a version: which steps exist, when it freezes, and that two people are needed."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_bank.errors import FourEyes, IllegalTransition
from item_bank.interchange.rows import read_items
from item_bank.model.item import Stimulus
from item_bank.model.review import (
    TRANSITIONS,
    ItemState,
    Review,
    Step,
    approve,
    content_hash,
    retire,
    return_to_draft,
    steps_from,
    submit,
)

AUTHOR, OTHER, REVIEWER = (UUID(int=number) for number in (1, 2, 3))
NOW = datetime(2027, 6, 1, 8, tzinfo=UTC)
DRAFT = Review(author=AUTHOR)


def test_a_submitted_version_is_frozen_and_waits() -> None:
    submitted = submit(DRAFT, OTHER, NOW)
    assert (submitted.state, submitted.is_frozen, submitted.submitted_by) == (ItemState.SUBMITTED, True, OTHER)


def test_a_second_person_makes_it_active() -> None:
    active = approve(submit(DRAFT, AUTHOR, NOW), REVIEWER, NOW)
    assert (active.state, active.approved_by, active.approved_at) == (ItemState.ACTIVE, REVIEWER, NOW)


@pytest.mark.parametrize("person", [AUTHOR, OTHER], ids=["author", "submitter"])
def test_who_wrote_or_submitted_it_cannot_approve_it(person: UUID) -> None:
    with pytest.raises(FourEyes):
        approve(submit(DRAFT, OTHER, NOW), person, NOW)


def test_a_returned_version_is_a_draft_with_a_reason_and_stays_frozen() -> None:
    returned = return_to_draft(submit(DRAFT, AUTHOR, NOW), "thiếu đơn vị")
    assert (returned.state, returned.returned_comment, returned.is_frozen) == (ItemState.DRAFT, "thiếu đơn vị", True)
    assert submit(returned, AUTHOR, NOW).returned_comment is None


@pytest.mark.parametrize("state", list(ItemState))
def test_a_step_outside_the_table_is_refused(state: ItemState) -> None:
    review = Review(state=state, author=AUTHOR, frozen_at=NOW)
    steps = {
        Step.SUBMIT: lambda: submit(review, AUTHOR, NOW),
        Step.APPROVE: lambda: approve(review, REVIEWER, NOW),
        Step.RETURN: lambda: return_to_draft(review, "x"),
        Step.RETIRE: lambda: retire(review),
    }
    for step, act in steps.items():
        if (state, step) in TRANSITIONS:
            assert act().state is TRANSITIONS[state, step]
        else:
            with pytest.raises(IllegalTransition):
                act()


def test_nothing_leads_out_of_retirement() -> None:
    assert steps_from(ItemState.RETIRED) == ()


@given(st.lists(st.sampled_from(["submit", "approve", "return", "retire"]), max_size=12))
def test_an_active_version_was_always_approved_by_somebody_else(steps: list[str]) -> None:
    review = DRAFT
    for step in steps:
        try:
            if step == "submit":
                review = submit(review, OTHER, NOW)
            elif step == "approve":
                review = approve(review, REVIEWER, NOW)
            elif step == "return":
                review = return_to_draft(review, "x")
            else:
                review = retire(review)
        except IllegalTransition:
            continue
        if review.state is ItemState.ACTIVE:
            assert review.approved_by not in (None, review.author, review.submitted_by)
            assert review.is_frozen


def test_the_fingerprint_changes_with_item_and_stimulus_alone() -> None:
    cells = {"code": "X", "kind": "essay", "topic": "1", "level": "know", "stem": "?", "key": "Bài: 1"}
    (item,) = read_items([(2, cells)]).items
    (same,) = read_items([(9, {**cells, "level": "biết"})]).items
    (other,) = read_items([(2, {**cells, "key": "Bài: 2"})]).items
    stimulus = Stimulus(code="S", content="<p>a</p>")
    assert content_hash(item) == content_hash(same)
    assert len({content_hash(item), content_hash(other), content_hash(item, stimulus)}) == 3
