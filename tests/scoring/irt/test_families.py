"""Derivatives, information and far abilities of every model."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.irt.bank import (
    bank_from_difficulties,
    category_probabilities,
    expected_scores,
    from_working,
    information,
    item_bank,
)
from scoring.irt.models import FAMILIES, Model
from tests.scoring.irt.banks import mixed_bank

THETA = np.linspace(-3.0, 3.0, 13)


def working_parameters(model: Model, seed: int) -> np.ndarray:
    bank = mixed_bank(32, seed)
    return next(group.x for group in bank.groups() if group.model is model)


MODELS = [pytest.param(model, id=str(model)) for model in FAMILIES if model is not Model.ONE_PL]


@pytest.mark.parametrize("model", MODELS)
def test_scores_are_the_derivatives_of_the_log_probabilities(model: Model) -> None:
    family, x, h = FAMILIES[model], working_parameters(model, 3), 1e-6
    scores = family.scores(x, THETA)
    for at in range(x.shape[1]):
        step = h * np.eye(x.shape[1])[at]
        numeric = (family.log_probabilities(x + step, THETA) - family.log_probabilities(x - step, THETA)) / (2 * h)
        np.testing.assert_allclose(scores[:, :, at], numeric, atol=1e-8, rtol=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_information_is_minus_the_derivative_of_the_gradient(model: Model) -> None:
    family, x, h = FAMILIES[model], working_parameters(model, 4), 1e-6
    counts = np.random.default_rng(1).gamma(2.0, size=family.log_probabilities(x, THETA).shape)
    found = family.complete_data(x, THETA, counts)
    np.testing.assert_allclose(
        found.gradient, np.einsum("nkt,nkpt->np", counts, family.scores(x, THETA)), atol=1e-9, rtol=1e-9
    )
    for at in range(x.shape[1]):
        step = h * np.eye(x.shape[1])[at]
        up, down = (family.complete_data(x + s, THETA, counts).gradient for s in (step, -step))
        np.testing.assert_allclose(found.information[:, at], -(up - down) / (2 * h), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_expected_information_is_never_indefinite(model: Model) -> None:
    family, x = FAMILIES[model], working_parameters(model, 5)
    counts = np.random.default_rng(2).gamma(0.3, size=family.log_probabilities(x, THETA).shape)
    found = family.complete_data(x, THETA, counts, is_expected=True).information
    assert np.linalg.eigvalsh(found).min() > -1e-9


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), theta=st.floats(-40.0, 40.0))
def test_probabilities_are_in_range_and_sum_to_one_however_far(seed: int, theta: float) -> None:
    probability = category_probabilities(mixed_bank(16, seed), [theta, -40.0, 40.0])
    assert np.isfinite(probability).all()
    assert (probability >= 0).all()
    assert (probability <= 1).all()
    np.testing.assert_allclose(probability.sum(axis=2), 1.0, atol=1e-12)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), slope=st.floats(0.05, 130.0))
def test_nothing_overflows_however_steep(seed: int, slope: float) -> None:
    bank = mixed_bank(16, seed)
    steep = item_bank(bank.names, bank.models, a=bank.a * slope, d=bank.d * slope, c=bank.c, u=bank.u, ak=bank.ak)
    theta = np.array([-40.0, 0.0, 40.0])
    for group in steep.groups():
        counts = np.ones((group.items.size, group.n_categories, theta.size))
        arrays = [
            group.family.log_probabilities(group.x, theta),
            group.family.scores(group.x, theta),
            *group.family.complete_data(group.x, theta, counts),
            *group.family.complete_data(group.x, theta, counts, is_expected=True),
            *group.family.theta_derivatives(group.x, theta, steep.a[group.items]),
        ]
        assert all(np.isfinite(array).all() for array in arrays), group.model


@settings(deadline=None)
@given(seed=st.integers(0, 10_000))
def test_information_is_not_negative_and_both_its_forms_agree(seed: int) -> None:
    bank = mixed_bank(16, seed)
    squared = information(bank, THETA)
    assert (squared >= 0).all()
    for group in bank.groups():
        p = np.exp(group.family.log_probabilities(group.x, THETA))
        _, second = group.family.theta_derivatives(group.x, THETA, bank.a[group.items])
        np.testing.assert_allclose(squared[:, group.items].T, -(p * second).sum(axis=1), atol=1e-10)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000))
def test_theta_derivatives_are_those_of_the_log_probabilities(seed: int) -> None:
    bank, h = mixed_bank(16, seed), 1e-5
    for group in bank.groups():
        first, second = group.family.theta_derivatives(group.x, THETA, bank.a[group.items])
        up, at, down = (group.family.log_probabilities(group.x, THETA + step) for step in (h, 0.0, -h))
        np.testing.assert_allclose(first, (up - down) / (2 * h), atol=1e-7)
        np.testing.assert_allclose(second, (up - 2 * at + down) / h**2, atol=1e-3)


def test_expected_scores_of_ordered_models_rise_with_ability() -> None:
    bank = mixed_bank(32)
    ordered = bank.select([i for i, model in enumerate(bank.models) if model is not Model.NOMINAL])
    assert (np.diff(expected_scores(ordered, THETA), axis=0) > 0).all()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_the_chance_of_a_category_or_more_rises_with_ability(seed: int) -> None:
    bank = mixed_bank(16, seed)
    ordered = bank.select([i for i, model in enumerate(bank.models) if model is not Model.NOMINAL])
    probability = category_probabilities(ordered, np.linspace(-40.0, 40.0, 161))
    or_more = np.cumsum(probability[:, :, ::-1], axis=2)[:, :, ::-1]
    assert (np.diff(or_more, axis=0) >= -1e-12).all()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_information_of_right_or_wrong_items_is_the_squared_slope_over_the_variance(seed: int) -> None:
    bank, h = mixed_bank(16, seed), 1e-5
    right = [i for i in range(bank.n_items) if bank.n_categories[i] == 2]
    chosen = bank.select(right)
    p = category_probabilities(chosen, THETA)[:, :, 1]
    up, down = (category_probabilities(chosen, THETA + step)[:, :, 1] for step in (h, -h))
    np.testing.assert_allclose(
        information(chosen, THETA), ((up - down) / (2 * h)) ** 2 / (p * (1 - p)), rtol=1e-5, atol=1e-9
    )


def test_both_parameter_forms_say_the_same() -> None:
    bank = mixed_bank(32)
    plain = bank.select([i for i, model in enumerate(bank.models) if model is not Model.NOMINAL])
    back = bank_from_difficulties(plain.names, plain.models, a=plain.a, b=plain.difficulties(), c=plain.c, u=plain.u)
    np.testing.assert_allclose(back.d, plain.d, atol=1e-12)


def test_working_parameters_rebuild_the_bank() -> None:
    bank = mixed_bank(32)
    back = from_working(bank.names, list(bank.groups()))
    for name in ("a", "d", "c", "u", "ak"):
        np.testing.assert_allclose(getattr(back, name), getattr(bank, name), atol=1e-12)
    assert back.models == bank.models
