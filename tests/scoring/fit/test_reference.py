"""Measures of fit at the parameters of the reference files are those of the reference software."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from scoring.fit import (
    GuessingSlopes,
    Population,
    Statistic,
    empirical_reliability,
    lz,
    marginal_reliability,
    model_fit,
    precision_at,
    residual_fit,
    s_x2,
)
from scoring.fit.moments import ItemCurves, Moments, first_order_functions, model_moments, observed_moments
from scoring.irt.bank import ItemBank, category_probabilities, information
from scoring.irt.responses import ResponseMatrix
from tests.scoring.fit.reference import DATA, Reference

ALL = list(DATA)
GUESSING = ["SAT12_3PL_norm", "SAT12_3PL_beta"]


@pytest.fixture
def folder(reference_dir: Path) -> Path:
    return reference_dir / "irt"


@pytest.mark.parametrize("tag", ALL)
def test_sum_score_fit_is_that_of_the_reference(folder: Path, tag: str) -> None:
    reference = Reference(folder, tag)
    fit = s_x2(reference.responses, reference.bank, reference.population)
    np.testing.assert_array_equal(fit.df, reference.column("itemfit", "df.S_X2"))
    np.testing.assert_allclose(fit.x2, reference.column("itemfit", "S_X2"), atol=1e-6)
    np.testing.assert_allclose(fit.p, reference.column("itemfit", "p.S_X2"), atol=1e-6)
    np.testing.assert_allclose(fit.rmsea, reference.column("itemfit", "RMSEA.S_X2"), atol=1e-6)


@pytest.mark.parametrize("tag", ALL)
@pytest.mark.parametrize("statistic", ["outfit", "infit", "z_outfit", "z_infit"])
def test_mean_squares_of_items_and_candidates_are_those_of_the_reference(
    folder: Path, tag: str, statistic: str
) -> None:
    reference = Reference(folder, tag)
    fit = residual_fit(reference.responses, reference.bank, reference.eap)
    name = statistic.replace("_", ".")
    np.testing.assert_allclose(getattr(fit.items, statistic), reference.column("itemfit", name), atol=1e-6)
    np.testing.assert_allclose(getattr(fit.candidates, statistic), reference.column("scores", name), atol=1e-6)


@pytest.mark.parametrize("tag", ALL)
def test_lz_at_the_eap_is_that_of_the_reference(folder: Path, tag: str) -> None:
    reference = Reference(folder, tag)
    person = lz(reference.responses, reference.bank, reference.eap)
    np.testing.assert_allclose(person.z, reference.column("scores", "Zh"), atol=1e-6)


@pytest.mark.parametrize(
    ("tag", "statistic", "key"),
    [
        pytest.param("LSAT7_2PL", Statistic.M2_STAR, "M2_M2*", id="2PL"),
        pytest.param("LSAT7_2PL", Statistic.C2, "C2", id="2PL by C2"),
        pytest.param("LSAT7_Rasch", Statistic.M2_STAR, "M2_M2*", id="Rasch"),
        pytest.param("Science_graded", Statistic.C2, "C2", id="graded by C2"),
    ],
)
def test_model_fit_is_that_of_the_reference(folder: Path, tag: str, statistic: Statistic, key: str) -> None:
    reference = Reference(folder, tag)
    fit = model_fit(reference.responses, reference.bank, reference.population, statistic=statistic)
    expected = reference.fit[key]
    found = (fit.x2, fit.df, fit.p, fit.rmsea, fit.rmsea_lower, fit.rmsea_upper, fit.srmsr, fit.tli, fit.cfi)
    names = ("M2", "df", "p", "RMSEA", "RMSEA_5", "RMSEA_95", "SRMSR", "TLI", "CFI")
    np.testing.assert_allclose(found, [expected[name] for name in names], atol=1e-5)


@pytest.mark.parametrize(("tag", "m2"), [("SAT12_3PL_norm", 551.0529), ("SAT12_3PL_beta", 559.7707)])
def test_model_fit_with_guessing_differs_from_the_reference_by_its_slope_derivatives_alone(
    folder: Path, tag: str, m2: float
) -> None:
    reference = Reference(folder, tag)
    fit = model_fit(reference.responses, reference.bank, reference.population)
    expected = reference.fit["M2_M2*"]
    assert fit.x2 == pytest.approx(m2, abs=1e-3)
    assert fit.df == expected["df"]
    assert fit.srmsr == pytest.approx(expected["SRMSR"], abs=1e-6)
    textbook = quadratic_form(reference.responses, reference.population, logistic_curves(reference.bank))
    assert textbook == pytest.approx(expected["M2"], abs=1e-3)


@pytest.mark.parametrize(("tag", "m2"), [("SAT12_3PL_norm", 544.5203), ("SAT12_3PL_beta", 553.0098)])
def test_model_fit_with_guessing_is_that_of_the_reference_where_its_slopes_are_asked_for(
    folder: Path, tag: str, m2: float
) -> None:
    reference = Reference(folder, tag)
    expected = reference.fit["M2_M2*"]
    fit = model_fit(reference.responses, reference.bank, reference.population, guessing_slopes=GuessingSlopes.MIRT)
    found = (fit.x2, fit.df, fit.p, fit.rmsea, fit.rmsea_lower, fit.rmsea_upper)
    names = ("M2", "df", "p", "RMSEA", "RMSEA_5", "RMSEA_95")
    np.testing.assert_allclose(found, [expected[name] for name in names], atol=1e-5)
    assert fit.x2 == pytest.approx(m2, abs=1e-3)


@pytest.mark.parametrize("tag", GUESSING)
def test_the_slope_derivatives_with_guessing_are_the_difference_quotient(folder: Path, tag: str) -> None:
    bank = Reference(folder, tag).bank
    theta = Population().points
    (group,) = bank.groups()
    step = 1e-6
    moved = [group.x + step * sign * np.eye(3)[1] for sign in (1, -1)]
    above, below = (np.exp(group.family.log_probabilities(x, theta)) for x in moved)
    p = np.exp(group.family.log_probabilities(group.x, theta))
    analytic = group.family.scores(group.x, theta)[:, :, 1] * p
    np.testing.assert_allclose(analytic, (above - below) / (2 * step), atol=1e-8)


@pytest.mark.parametrize("tag", ALL)
def test_empirical_reliability_is_that_of_the_reference(folder: Path, tag: str) -> None:
    reference = Reference(folder, tag)
    se = reference.column("scores", "SE_EAP")
    found = empirical_reliability(reference.eap, se, reference.responses.weights)
    assert found == pytest.approx(reference.fit["empirical_rxx_EAP"], abs=1e-8)


@pytest.mark.parametrize("tag", ["LSAT7_2PL", "Science_graded", *GUESSING])
def test_marginal_reliability_is_that_of_the_reference(folder: Path, tag: str) -> None:
    reference = Reference(folder, tag)
    found = marginal_reliability(reference.bank, reference.population)
    assert found == pytest.approx(reference.fit["marginal_rxx"], abs=1e-6)


def test_marginal_reliability_with_a_free_variance_differs_from_the_reference_as_documented(folder: Path) -> None:
    reference = Reference(folder, "LSAT7_Rasch")
    standard = Population()
    total = information(reference.bank, standard.points).sum(axis=1)
    theirs = (total / (total + reference.population.variance)) @ standard.weights
    assert theirs == pytest.approx(reference.fit["marginal_rxx"], abs=1e-6)
    ours = marginal_reliability(reference.bank, reference.population)
    assert ours == pytest.approx(reference.fit["marginal_rxx"], abs=0.01)


@pytest.mark.parametrize("tag", ALL)
def test_information_is_that_of_the_reference(folder: Path, tag: str) -> None:
    reference = Reference(folder, tag)
    precision = precision_at(reference.bank, reference.column("info", "theta"))
    np.testing.assert_allclose(precision.information, reference.column("info", "test_info"), atol=1e-6)
    np.testing.assert_allclose(precision.se, reference.column("info", "test_info") ** -0.5, atol=1e-6)
    from_zero = precision.score - reference.column("info", "expected_score")
    np.testing.assert_allclose(from_zero, from_zero[0], atol=1e-6)  # the files number graded categories from 1


def logistic_curves(bank: ItemBank) -> list[ItemCurves]:
    """Curves of a 3PL test with the derivatives that the reference takes."""
    theta = Population().points
    p = category_probabilities(bank, theta)
    logistic = expit(np.outer(bank.a, theta) + bank.d[:, :1])
    curves = []
    for item in range(bank.n_items):
        right = p[:, item, 1]
        moves = np.stack([right * (1 - right) * theta, right * (1 - right), 1 - logistic[item]])
        curves.append(ItemCurves(p[:, item].T, np.stack([-moves, moves], axis=1)))
    return curves


def quadratic_form(responses: ResponseMatrix, population: Population, curves: list[ItemCurves]) -> float:
    """M2 by its textbook formula, with the inverse of the whole covariance."""
    functions = first_order_functions([2] * len(curves), is_by_category=False)
    categories = np.asarray(responses.categories)
    moments: Moments = model_moments(curves, population.weights, np.zeros((0, population.points.size)), functions)
    residual = observed_moments(categories, responses.weights, functions) - moments.value
    weight = np.linalg.inv(moments.covariance)
    moved = moments.derivatives.T @ weight
    inner = weight - moved.T @ np.linalg.solve(moved @ moments.derivatives, moved)
    return float(responses.n_candidates * residual @ inner @ residual)
