"""Calibration against independently found maxima of the likelihood."""

from pathlib import Path

import numpy as np
import pytest

from scoring.calibration import (
    BetaPrior,
    Calibration,
    CalibrationOptions,
    NormalPrior,
    Precision,
    Priors,
    StandardErrors,
    calibrate,
)
from scoring.irt.ability import eap_estimates
from tests.scoring.irt.reference import CASES, Case, column, optimum, responses_of, table

PRIORS = {
    "SAT12_3PL_norm": Priors(guess=NormalPrior(-1.1, 0.5)),
    "SAT12_3PL_beta": Priors(guess=BetaPrior(5.0, 17.0)),
}
WELL_POSED = [pytest.param(tag, id=tag) for tag in CASES if tag != "SAT12_3PL_noprior"]


def calibrated(reference_dir: Path, case: Case, **options: object) -> Calibration:
    priors = PRIORS.get(case.tag, Priors())
    return calibrate(responses_of(reference_dir, case), case.model, CalibrationOptions(priors=priors, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("tag", WELL_POSED)
def test_the_tight_mode_reaches_the_maximum(reference_dir: Path, tag: str) -> None:
    case = CASES[tag]
    found = calibrated(reference_dir, case, precision=Precision.TIGHT, standard_errors=StandardErrors.OBSERVED)
    assert found.converged
    assert found.warnings == ()
    expected = optimum(reference_dir, case)
    assert found.log_likelihood == pytest.approx(expected["logLik"], abs=1e-5)
    assert found.log_prior == pytest.approx(expected["logPrior"], abs=1e-5)
    errors = found.errors
    assert errors is not None
    b = found.bank.difficulties()
    for row in table(reference_dir, f"{tag}_optimum.csv"):
        name = row["parameter"]
        at = int(name[1:]) - 1 if name[1:].isdigit() else 0
        if row["item"] == "LATENT":
            value, se = found.variances[0], errors.variances[0]
        else:
            item = found.bank.names.index(row["item"])
            c = found.bank.c[item]
            value, se = {
                "a": (found.bank.a[item], errors.a[item]),
                "d": (found.bank.d[item, at], errors.d[item, at]),
                "b": (b[item, at], errors.b[item, at]),
                "c": (c, errors.c[item]),
                "l": (np.log(c / (1 - c)) if c > 0 else -np.inf, errors.logit_c[item]),
            }[name[0]]
        assert value == pytest.approx(float(row["estimate"]), abs=1e-4), row
        if row["se_observed_information"] != "NA":
            assert se == pytest.approx(float(row["se_observed_information"]), rel=1e-3), row
    eap = eap_estimates(responses_of(reference_dir, case), found.bank, variances=found.variances)
    rows = table(reference_dir, f"{tag}_optimum_eap.csv")
    np.testing.assert_allclose(eap.theta, column(rows, "EAP"), atol=1e-5)
    np.testing.assert_allclose(eap.se, column(rows, "SE_EAP"), atol=1e-5)


@pytest.mark.parametrize("tag", WELL_POSED)
def test_the_default_mode_comes_within_a_hundredth(reference_dir: Path, tag: str) -> None:
    found = calibrated(reference_dir, CASES[tag])
    assert found.converged
    assert found.log_likelihood == pytest.approx(optimum(reference_dir, CASES[tag])["logLik"], abs=1e-2)


def test_an_ill_posed_test_reaches_its_likelihood_and_names_what_ran_away(reference_dir: Path) -> None:
    found = calibrated(reference_dir, CASES["SAT12_3PL_noprior"])
    assert found.log_likelihood >= -9434.61
    assert found.at_bounds
    assert any("ran to its bound" in warning for warning in found.warnings)
