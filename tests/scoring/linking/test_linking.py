"""Linking recovers the line between two scales, is invariant where it should be, and names what it cannot link."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.errors import LinkingImpossible
from scoring.irt.bank import ItemBank, bank_from_difficulties, category_probabilities, item_bank
from scoring.linking import (
    LinkingMethod,
    LinkingPoints,
    Transformation,
    anchor_drift,
    link,
    link_without_drift,
    linking_criterion,
)

METHODS = list(LinkingMethod)
CURVES = [LinkingMethod.HAEBARA, LinkingMethod.STOCKING_LORD]
seeds = st.integers(0, 2**32 - 1)
slopes, shifts = st.floats(0.5, 2.0), st.floats(-1.5, 1.5)


def mixed_bank(rng: np.random.Generator, n_items: int = 12) -> ItemBank:
    kinds = [("2pl", "3pl", "graded", "gpcm")[i % 4] for i in range(n_items)]
    b = np.full((n_items, 3), np.nan)
    b[:, 0] = rng.normal(size=n_items)
    for i, kind in enumerate(kinds):
        if kind in ("graded", "gpcm"):
            b[i] = b[i, 0] + np.array([-0.8, 0.1, 0.9])
    c = [0.2 if kind == "3pl" else 0.0 for kind in kinds]
    return bank_from_difficulties([f"i{i}" for i in range(n_items)], kinds, a=rng.uniform(0.6, 1.8, n_items), b=b, c=c)


def noisy(bank: ItemBank, rng: np.random.Generator) -> ItemBank:
    return bank_from_difficulties(
        bank.names,
        bank.models,
        a=bank.a * np.exp(rng.normal(0, 0.1, bank.n_items)),
        b=bank.difficulties() + rng.normal(0, 0.1, (bank.n_items, 1)),
        c=bank.c,
    )


@settings(max_examples=30, deadline=None)
@given(seed=seeds, slope=slopes, shift=shifts, method=st.sampled_from(METHODS))
def test_every_method_recovers_an_exact_line(seed: int, slope: float, shift: float, method: LinkingMethod) -> None:
    base = mixed_bank(np.random.default_rng(seed))
    new = Transformation(slope, shift).inverse.bank(base)
    found = link(base, new, method)
    assert found.converged
    tolerance = 1e-9 if method not in CURVES else 1e-6
    assert found.transformation.slope == pytest.approx(slope, abs=tolerance)
    assert found.transformation.intercept == pytest.approx(shift, abs=tolerance)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, slope=slopes, shift=shifts, theta=st.floats(-40, 40))
def test_moving_items_and_abilities_together_changes_no_probability(
    seed: int, slope: float, shift: float, theta: float
) -> None:
    bank, move = mixed_bank(np.random.default_rng(seed)), Transformation(slope, shift)
    moved = category_probabilities(move.bank(bank), move.abilities(theta))
    np.testing.assert_allclose(moved, category_probabilities(bank, theta), atol=1e-9)
    np.testing.assert_allclose(
        move.bank(bank).difficulties(), slope * bank.difficulties() + shift, atol=1e-9, equal_nan=True
    )


def test_nominal_items_move_too() -> None:
    bank = item_bank(["n"], ["nominal"], a=[0.9], d=[[0.4, -0.3, 0.1]], ak=[[0.0, 1.3, 1.9, 3.0]])
    move, theta = Transformation(1.4, -0.6), np.linspace(-3, 3, 7)
    moved = category_probabilities(move.bank(bank), move.abilities(theta))
    np.testing.assert_allclose(moved, category_probabilities(bank, theta))


def test_rasch_items_keep_their_model_when_only_the_origin_moves() -> None:
    bank = item_bank(["x", "y"], ["rasch", "pcm"], d=[[0.5, np.nan], [0.2, -0.7]])
    assert Transformation(1.0, 0.3).bank(bank).models == ("rasch", "pcm")
    assert Transformation(1.2, 0.3).bank(bank).models == ("2pl", "gpcm")


@settings(max_examples=15, deadline=None)
@given(seed=seeds, method=st.sampled_from([LinkingMethod.MEAN_MEAN, LinkingMethod.MEAN_SIGMA, *CURVES]))
def test_a_symmetric_linking_back_is_the_inverse(seed: int, method: LinkingMethod) -> None:
    rng = np.random.default_rng(seed)
    base = mixed_bank(rng)
    new = noisy(Transformation(1.2, 0.4).inverse.bank(base), rng)
    there, back = link(base, new, method).transformation, link(new, base, method).transformation.inverse
    assert (there.slope, there.intercept) == pytest.approx((back.slope, back.intercept), abs=1e-5)


@pytest.mark.parametrize("method", CURVES)
@pytest.mark.parametrize("is_symmetric", [True, False])
@pytest.mark.parametrize("is_normal", [True, False])
def test_no_neighbouring_line_has_a_smaller_criterion(
    method: LinkingMethod, is_symmetric: bool, is_normal: bool
) -> None:
    rng = np.random.default_rng(8)
    base = mixed_bank(rng)
    new = noisy(Transformation(0.8, -0.5).inverse.bank(base), rng)
    points = LinkingPoints(is_normal=is_normal)
    found = link(base, new, method, points=points, is_symmetric=is_symmetric)
    at = found.transformation
    for slope, shift in ((1e-3, 0), (-1e-3, 0), (0, 1e-3), (0, -1e-3)):
        beside = Transformation(at.slope + slope, at.intercept + shift)
        value = linking_criterion(base, new, beside, method, points=points, is_symmetric=is_symmetric)
        assert value > found.criterion


def test_moments_are_those_computed_by_hand() -> None:
    base = bank_from_difficulties(["p", "q", "r"], ["2pl"] * 3, a=[1.0, 1.2, 0.8], b=[[-1.0], [0.0], [1.0]])
    new = bank_from_difficulties(["p", "q", "r"], ["2pl"] * 3, a=[1.5, 1.5, 1.5], b=[[-1.0], [0.5], [0.5]])
    by_mean = link(base, new, LinkingMethod.MEAN_MEAN).transformation
    assert (by_mean.slope, by_mean.intercept) == pytest.approx((1.5, 0.0))
    by_spread = link(base, new, LinkingMethod.MEAN_SIGMA).transformation
    # Standard deviations sqrt(2/3) and sqrt(1/2): their ratio is 2 / sqrt(3).
    assert (by_spread.slope, by_spread.intercept) == pytest.approx((2 / np.sqrt(3), 0.0))


def test_a_drifted_anchor_is_dropped_and_the_line_is_then_exact() -> None:
    rng = np.random.default_rng(4)
    base = mixed_bank(rng)
    new = Transformation(1.1, 0.2).inverse.bank(base)
    b = new.difficulties()
    b[4] += 1.5
    drifted = bank_from_difficulties(new.names, new.models, a=new.a, b=b, c=new.c)
    found = link_without_drift(base, drifted)
    assert found.dropped == ("i4",)
    assert found.linking.transformation.slope == pytest.approx(1.1, abs=1e-6)
    assert found.drift.difficulty[4] == pytest.approx(1.65, abs=1e-5)
    assert np.abs(np.delete(found.drift.rmsd, 4)).max() < 1e-6


def test_robust_z_points_at_the_item_that_moved() -> None:
    rng = np.random.default_rng(9)
    base = mixed_bank(rng, 20)
    new = noisy(base, rng)
    b = new.difficulties()
    b[7] -= 1.2
    new = bank_from_difficulties(new.names, new.models, a=new.a, b=b, c=new.c)
    drift = anchor_drift(base, new, link(base, new).transformation)
    assert np.abs(drift.robust_z_difficulty).argmax() == 7
    assert drift.robust_z_difficulty[7] < -1.645


@pytest.mark.parametrize(
    ("names", "models", "d", "reason"),
    [
        pytest.param(["x", "y"], ["2pl", "2pl"], [[0.0], [1.0]], "0 common items", id="nothing in common"),
        pytest.param(["i0", "i2"], ["2pl", "2pl"], [[0.0], [1.0]], "4 and 2 categories", id="other categories"),
    ],
)
def test_calibrations_that_cannot_be_linked_are_refused(
    names: list[str], models: list[str], d: list[list[float]], reason: str
) -> None:
    base = mixed_bank(np.random.default_rng(1))
    with pytest.raises(LinkingImpossible, match=reason):
        link(base, item_bank(names, models, a=[1.0, 1.0], d=d))


def test_difficulties_all_alike_tell_no_spread() -> None:
    bank = item_bank(["x", "y"], ["2pl", "2pl"], a=[1.0, 2.0], d=[[0.0], [0.0]])
    with pytest.raises(LinkingImpossible, match="all alike"):
        link(bank, bank, LinkingMethod.MEAN_SIGMA)
