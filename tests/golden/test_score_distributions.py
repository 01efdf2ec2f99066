"""The published distributions of four national exams: our figures from the histograms are the published ones."""

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exam_engine.results.distribution import distribute

YEARS = ("2024", "2025_gdpt_2006", "2025_gdpt_2018", "2026")


@pytest.fixture(scope="module")
def histograms(reference_dir: Path) -> dict[str, dict[str, Any]]:
    file = reference_dir / "vn" / "score_distributions.json"
    loaded: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["histograms"]
    return loaded


@pytest.mark.parametrize("year", YEARS)
def test_figures_of_every_subject_are_the_published_ones(
    reference_dir: Path, histograms: dict[str, dict[str, Any]], year: str
) -> None:
    for subject, published in histograms[year].items():
        counts = Counter({int(Decimal(score) * 100): n for score, n in published["histogram"].items()})
        found, stats = distribute(counts.elements()), published["stats"]
        assert found.n == stats["n"], subject
        assert float(found.mean or 0) == pytest.approx(stats["mean"], abs=0.00006), subject
        assert float(found.standard_deviation or 0) == pytest.approx(stats["sd"], abs=0.00006), subject
        assert float(found.median or 0) == stats["p50"], subject
        assert found.mode == int(Decimal(str(stats["most_common_score"])) * 100), subject
        assert float(found.share_at_most_1 or 0) == pytest.approx(stats["share_le_1"], abs=1e-6), subject
        assert float(found.share_below_5 or 0) == pytest.approx(stats["share_lt_5"], abs=1e-6), subject
        assert float(found.share_full or 0) == pytest.approx(stats["share_eq_10"], abs=1e-6), subject


@pytest.mark.parametrize(
    ("subject", "step"),
    [("math", 5), ("literature", 25), ("foreign_language", 25), ("physics", 5), ("history", 5)],
)
def test_the_steps_of_2026_are_found(
    reference_dir: Path, histograms: dict[str, dict[str, Any]], subject: str, step: int
) -> None:
    counts = Counter({int(Decimal(score) * 100): n for score, n in histograms["2026"][subject]["histogram"].items()})
    assert distribute(counts.elements()).grid == step
