"""Response probabilities: reference values, closed forms, laws, and no overflow anywhere."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scoring.irt.models import (
    ItemParameters,
    StepParameters,
    category_probabilities_gpcm,
    probability_2pl,
    probability_3pl,
)

FAR = np.array([-1e6, -40.0, 0.0, 40.0, 1e6])


def parameters(**columns: list[float]) -> ItemParameters:
    n = len(columns["a"])
    return ItemParameters(
        np.array(columns["a"]), np.array(columns.get("b", [0.0] * n)), np.array(columns.get("c", [0.0] * n))
    )


def reference_parameters(file: Path, n_items: int) -> ItemParameters:
    """Slope and intercept of a reference file as a, b, c."""
    values: dict[str, NDArray[np.float64]] = {name: np.zeros(n_items) for name in ("a", "d", "c")}
    with file.open(newline="") as rows:
        for row in csv.DictReader(rows):
            name = {"a1": "a", "a": "a", "d": "d", "g": "c", "c": "c"}.get(row["parameter"])
            if row["item"].startswith("Item.") and name and row.get("parameterisation", "slope_intercept") != "IRT":
                values[name][int(row["item"].removeprefix("Item.")) - 1] = float(row["estimate"])
    return ItemParameters(values["a"], -values["d"] / values["a"], values["c"])


@pytest.mark.parametrize(
    ("tag", "parameter_file", "n_items", "tolerance"),
    [
        pytest.param("LSAT7_2PL", "LSAT7_2PL_params.csv", 5, 1e-10, id="two-parameter model"),
        pytest.param("SAT12_3PL_norm", "SAT12_3PL_norm_optimum.csv", 32, 1e-7, id="three-parameter model"),
    ],
)
def test_probabilities_are_those_of_the_reference(
    reference_dir: Path, tag: str, parameter_file: str, n_items: int, tolerance: float
) -> None:
    items = reference_parameters(reference_dir / "irt" / parameter_file, n_items)
    with (reference_dir / "irt" / f"{tag}_info.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    theta = np.array([float(row["theta"]) for row in rows])
    expected = np.array([[float(row[f"P_Item.{i}_1"]) for i in range(1, n_items + 1)] for row in rows])
    np.testing.assert_allclose(probability_3pl(theta, items), expected, atol=tolerance)


def test_at_its_difficulty_an_item_is_half_right_above_guessing() -> None:
    items = parameters(a=[1.0, 2.0], b=[-1.0, 0.5], c=[0.0, 0.25])
    assert probability_3pl([-1.0], items)[0, 0] == 0.5
    assert probability_3pl([0.5], items)[0, 1] == 0.625


def test_without_guessing_both_models_are_the_same() -> None:
    items = parameters(a=[0.7, 1.3], b=[0.2, -0.4])
    theta = np.linspace(-4, 4, 9)
    np.testing.assert_array_equal(probability_2pl(theta, items), probability_3pl(theta, items))


def test_probabilities_do_not_overflow_far_from_the_difficulty() -> None:
    probabilities = probability_3pl(FAR, parameters(a=[3.0], b=[0.0], c=[0.2]))[:, 0]
    np.testing.assert_allclose(probabilities, [0.2, 0.2, 0.6, 1.0, 1.0], atol=1e-12)


@given(
    st.floats(0.1, 4),
    st.floats(-4, 4),
    st.floats(0, 0.5),
    st.lists(st.floats(-10, 10), min_size=2, max_size=6).map(sorted),
)
def test_probability_rises_with_ability_and_stays_above_guessing(
    a: float, b: float, c: float, theta: list[float]
) -> None:
    probabilities = probability_3pl(theta, parameters(a=[a], b=[b], c=[c]))[:, 0]
    assert np.all(np.diff(probabilities) >= 0)
    assert np.all((probabilities >= c) & (probabilities <= 1))


def test_one_step_of_partial_credit_is_the_two_parameter_model() -> None:
    theta = np.linspace(-3, 3, 7)
    graded = category_probabilities_gpcm(theta, StepParameters(np.array([1.4]), np.array([[0.3]])))
    np.testing.assert_allclose(graded[:, 0, 1], probability_2pl(theta, parameters(a=[1.4], b=[0.3]))[:, 0], atol=1e-15)


def test_categories_an_item_does_not_have_are_impossible() -> None:
    items = StepParameters(np.array([1.0, 1.0]), np.array([[0.0, 1.0, 2.0], [0.5, np.nan, np.nan]]))
    probabilities = category_probabilities_gpcm([0.0, 1.0], items)
    assert probabilities.shape == (2, 2, 4)
    assert np.all(probabilities[:, 1, 2:] == 0)
    np.testing.assert_allclose(probabilities.sum(axis=2), 1.0)


@given(
    st.floats(0.1, 4),
    st.lists(st.floats(-4, 4), min_size=1, max_size=4),
    st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=5).map(sorted),
)
def test_category_probabilities_sum_to_one_and_the_expected_credit_rises(
    a: float, steps: list[float], theta: list[float]
) -> None:
    probabilities = category_probabilities_gpcm(theta, StepParameters(np.array([a]), np.array([steps])))[:, 0, :]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-12)
    assert np.all(np.diff(probabilities @ np.arange(len(steps) + 1)) >= -1e-12)
