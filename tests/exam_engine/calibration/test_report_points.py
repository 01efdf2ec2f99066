"""Points of the observed-against-expected plots: a true model is not accused."""

import numpy as np

from exam_engine.calibration.report.points import curve_points
from scoring.irt.bank import bank_from_difficulties, expected_scores
from scoring.irt.responses import response_matrix
from scoring.irt.simulation import simulate_responses


def test_the_points_of_a_true_model_lie_on_its_curve() -> None:
    rng = np.random.default_rng(11)
    names = [f"q{i}" for i in range(20)]
    bank = bank_from_difficulties(names, ["2pl"] * 20, a=rng.uniform(0.8, 2.0, 20), b=np.linspace(-2, 2, 20))
    responses = response_matrix(simulate_responses(bank, rng.normal(size=5000), rng), item_names=names)
    z = []
    for item, points in enumerate(curve_points(responses, bank, 0.0, 1.0)):
        curve = expected_scores(bank.select([item]), [point.theta for point in points])[:, 0]
        z += [(point.observed - hoped) / point.se for point, hoped in zip(points, curve, strict=True)]
    deviations = np.array(z)
    assert len(deviations) > 200
    assert (np.abs(deviations) < 1.96).mean() > 0.9
    assert abs(deviations.mean()) < 0.2


def test_a_pattern_with_a_frequency_counts_as_often_as_it_occurred() -> None:
    rng = np.random.default_rng(3)
    names = ["a", "b", "c"]
    bank = bank_from_difficulties(names, ["2pl"] * 3, a=[1.0, 1.2, 0.9], b=[-0.5, 0.0, 0.5])
    rows = simulate_responses(bank, rng.normal(size=900), rng)
    patterns, counts = np.unique(rows, axis=0, return_counts=True)
    single = curve_points(response_matrix(rows, item_names=names), bank, 0.0, 1.0)
    merged = curve_points(response_matrix(patterns, item_names=names, frequencies=counts), bank, 0.0, 1.0)
    for ones, weighted in zip(single, merged, strict=True):
        # Bands at the ends hold few, and one of them may fall below the fewest.
        assert abs(sum(point.n for point in ones) - sum(point.n for point in weighted)) < 30
        assert abs(sum(p.n * p.observed for p in ones) - sum(p.n * p.observed for p in weighted)) < 30
