"""Group differences at equal score (differential item functioning), within the form most candidates took. Pure."""

import msgspec
import numpy as np

from exam_engine.calibration.banks import number
from exam_engine.calibration.estimating import Estimated
from exam_engine.calibration.findings import DifReport
from exam_engine.calibration.gathering import Gathered
from exam_engine.calibration.measuring import FormView
from scoring.dif import MantelHaenszel, mantel_haenszel
from scoring.errors import GroupsUnusable

FEWEST_IN_GROUP = 50
"""Below, the classes mostly say chance (Zieky 1993 wants 100 in the smaller group; fewer show their size)."""

MOST_GROUPS = 6


def differences(view: FormView, gathered: Gathered, estimated: Estimated) -> dict[int, tuple[DifReport, ...]]:
    """Compare every large enough group with the largest one; by item, empty where there is nothing to compare."""
    groups = np.array([gathered.groups[row] for row in view.rows])
    names, counts = np.unique(groups[groups != ""], return_counts=True)
    large = [str(names[i]) for i in np.argsort(-counts, kind="stable") if counts[i] >= FEWEST_IN_GROUP][:MOST_GROUPS]
    found: dict[int, tuple[DifReport, ...]] = {}
    for focal in large[1:]:
        is_compared = np.isin(groups, [large[0], focal])
        responses = msgspec.structs.replace(
            view.responses(estimated).rows(np.flatnonzero(is_compared)),
            groups=(groups[is_compared] == focal).astype(np.int64),
            group_names=(large[0], focal),
        )
        try:
            compared = mantel_haenszel(responses, focal)
        except GroupsUnusable:
            continue  # nobody of one group answered everything
        sizes = (int((groups == large[0]).sum()), int((groups == focal).sum()))
        for at, item in enumerate(view.items.tolist()):
            report = _report(compared, at, (large[0], focal), sizes)
            found[item] = (*found.get(item, ()), report)
    return found


def _report(compared: MantelHaenszel, item: int, names: tuple[str, str], sizes: tuple[int, int]) -> DifReport:
    return DifReport(
        reference=names[0],
        focal=names[1],
        n_reference=sizes[0],
        n_focal=sizes[1],
        ets_class=compared.ets_class[item].value,
        delta=number(compared.delta[item]),
        p=number(compared.p[item]),
        standardised_difference=number(compared.standardised_difference[item]),
    )
