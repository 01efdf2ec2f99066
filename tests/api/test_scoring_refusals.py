"""Refusals of a calibration are said in the reader's language, place and reason, on pages and in what runs keep."""

from collections.abc import Callable

import numpy as np
import pytest

from api.problems import describe
from exam_engine.calibration.job import _refusal
from exam_engine.infra.i18n import translator
from exam_engine.infra.i18n.catalogue import load_catalogue
from item_bank.messages import Message
from scoring.calibration import CalibrationOptions, Density, calibrate
from scoring.errors import Misplaced
from scoring.irt.bank import bank_from_difficulties
from scoring.irt.responses import response_matrix

NAMES = ["C1", "C2", "C3"]


def _answers(column: list[int] | None = None, rows: int = 60) -> np.ndarray:
    given = np.random.default_rng(3).integers(0, 2, size=(rows, 3))
    if column is not None:
        given[:, 0] = np.resize(column, rows)
    return given


def _fit(given: np.ndarray, models: str | list[str] = "2pl", **options: object) -> None:
    calibrate(response_matrix(given, item_names=NAMES), models, CalibrationOptions(**options))  # type: ignore[arg-type]


def _against_strangers(models: str) -> None:
    anchors = bank_from_difficulties(["X"], ["2pl"], a=[1.0], b=[0.0])
    calibrate(response_matrix(_answers(), item_names=NAMES), models, CalibrationOptions(), anchors=anchors)


def _with_small_group() -> None:
    groups = ["nam"] * 55 + ["nữ"] * 5
    calibrate(response_matrix(_answers(), item_names=NAMES, groups=groups), "2pl", CalibrationOptions())


REFUSALS: dict[str, Callable[[], None]] = {
    "too few candidates": lambda: _fit(_answers(rows=12)),
    "a small group": _with_small_group,
    "never answered": lambda: _fit(_answers([-1])),
    "answered by few": lambda: _fit(_answers([0, 1, -1, -1, -1])),
    "one category": lambda: _fit(_answers([1])),
    "a gap": lambda: _fit(_answers([0, 2]), ["gpcm", "2pl", "2pl"]),
    "a category too many": lambda: _fit(_answers([0, 1, 2])),
    "models missing": lambda: _fit(_answers(), ["2pl", "2pl"]),
    "1PL with others": lambda: _fit(_answers(), ["1pl", "2pl", "2pl"]),
    "1PL without a normal density": lambda: _fit(_answers(), "1pl", density=Density.HISTOGRAM),
    "1PL against fixed items": lambda: _against_strangers("1pl"),
    "no fixed item answered": lambda: _against_strangers("2pl"),
}


@pytest.mark.parametrize("refused", REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refused_calibration_is_told_in_vietnamese(refused: Callable[[], None]) -> None:
    with pytest.raises(Misplaced) as caught:
        refused()
    error = caught.value
    known = load_catalogue("vi")
    assert set(error.sentences) <= known.keys()
    place, reason = (known[sentence].format(**error.facts) for sentence in error.sentences)
    assert describe(error, "vi")["detail"] == f"{place}: {reason}"
    assert describe(error, "en")["detail"] == str(error)
    kept = _refusal(error)
    said = [fact.translated(translator("vi")) for fact in kept.facts.values() if isinstance(fact, Message)]
    assert said == [place, reason]
