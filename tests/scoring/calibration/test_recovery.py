"""Recovery of simulated items within the bounds of the study in `loadtests.recovery_irt`, on fewer seeds."""

import pytest

from loadtests.recovery_irt import STUDIES, Study, pooled, recover

N_CANDIDATES, N_ITEMS, N_SEEDS = 5000, 25, 4
# A quarter of the candidates doubles the errors; half the items know ability less closely.
_WIDER = 2.0


@pytest.mark.parametrize("study", [pytest.param(study, id=study.name) for study in STUDIES])
def test_simulated_items_are_recovered_within_the_stated_bounds(study: Study) -> None:
    found = pooled([recover(study, seed, N_CANDIDATES, N_ITEMS) for seed in range(N_SEEDS)])
    for name, (bias, rmse) in study.largest.items():
        assert abs(found[name].bias) < _WIDER * bias, name
        assert found[name].rmse < _WIDER * rmse, name
    for name, quantity in found.items():
        # Intervals of one seed share its sample of candidates, so that few seeds scatter more than their items say.
        scatter = 5.0 * (0.95 * 0.05 / quantity.is_covered.size) ** 0.5
        assert abs(quantity.coverage - 0.95) < max(scatter, 0.01), name
