"""Standard errors in every metric, from the covariance of the working parameters by the delta method."""

import numpy as np
from numpy.typing import NDArray

from scoring.calibration.layout import Block, Layout
from scoring.calibration.result import ParameterErrors
from scoring.irt.bank import ItemBank
from scoring.irt.models import Model
from scoring.irt.models.families import DICHOTOMOUS

Array = NDArray[np.float64]


def covariance_of(information: Array, is_held: NDArray[np.bool_]) -> Array | None:
    """Invert the information of the parameters that are not held at a bound; None where it is not positive definite."""
    result = np.full(information.shape, np.nan)
    free = np.flatnonzero(~is_held)
    try:
        np.linalg.cholesky(information[np.ix_(free, free)])
    except np.linalg.LinAlgError:
        return None
    result[np.ix_(free, free)] = np.linalg.inv(information[np.ix_(free, free)])
    return result


def parameter_errors(layout: Layout, bank: ItemBank, covariance: Array, variances: Array) -> ParameterErrors:
    """Spread the covariance over named arrays."""
    n_items, widest = bank.ak.shape
    errors = ParameterErrors(
        a=np.full(n_items, np.nan),
        d=np.full((n_items, widest - 1), np.nan),
        b=np.full((n_items, widest - 1), np.nan),
        c=np.full(n_items, np.nan),
        u=np.full(n_items, np.nan),
        logit_c=np.full(n_items, np.nan),
        logit_u=np.full(n_items, np.nan),
        ak=np.full((n_items, widest), np.nan),
        means=np.full(layout.n_groups, np.nan),
        variances=np.full(layout.n_groups, np.nan),
    )
    for block in layout.blocks:
        if block.is_free:
            n, p = block.fixed.shape
            at = block.first + np.arange(n)[:, None] * p + np.arange(p)
            _spread(block, bank, covariance[at[:, :, None], at[:, None, :]], errors)
    for i, (group, name) in enumerate(layout.latent, start=layout.n_item_parameters):
        se = float(np.sqrt(covariance[i, i]))
        if name == "mean":
            errors.means[group] = se
        else:
            # d variance / d log variance = variance.
            errors.variances[group] = se * variances[group]
    return errors


def _spread(block: Block, bank: ItemBank, covariance: Array, errors: ParameterErrors) -> None:
    items, k = block.items, block.n_categories
    place = {name: at for at, name in enumerate(block.names)}
    se = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    intercepts = ["d"] if block.model in DICHOTOMOUS else [f"d{m}" for m in range(1, k)]
    for m, name in enumerate(intercepts):
        errors.d[items, m] = se[:, place[name]]
    if "a" in place:
        errors.a[items] = se[:, place["a"]]
    for name, asymptote, target in (("logit_c", bank.c, errors.c), ("logit_u", bank.u, errors.u)):
        if name in place:
            getattr(errors, name)[items] = se[:, place[name]]
            target[items] = se[:, place[name]] * asymptote[items] * (1.0 - asymptote[items])
    if block.model is Model.NOMINAL:
        _spread_nominal(block, bank, covariance, errors)
        return
    b = bank.difficulties()
    is_stepped = block.model in (Model.GPCM, Model.PCM)
    for m, name in enumerate(intercepts):
        jacobian = np.zeros((items.size, len(block.names)))
        jacobian[:, place[name]] = -1.0 / bank.a[items]
        if is_stepped and m > 0:
            jacobian[:, place[intercepts[m - 1]]] = 1.0 / bank.a[items]
        if "a" in place:
            jacobian[:, place["a"]] = -b[items, m] / bank.a[items]
        errors.b[items, m] = np.sqrt(np.einsum("np,npq,nq->n", jacobian, covariance, jacobian))


def _spread_nominal(block: Block, bank: ItemBank, covariance: Array, errors: ParameterErrors) -> None:
    """Of a = s_last / (K - 1) and ak_k = s_k / a."""
    items, k = block.items, block.n_categories
    last = k - 2
    errors.a[items] = np.sqrt(covariance[:, last, last]) / (k - 1)
    for m in range(1, k - 1):
        jacobian = np.zeros((items.size, len(block.names)))
        jacobian[:, m - 1] = 1.0 / bank.a[items]
        jacobian[:, last] = -bank.ak[items, m] / (bank.a[items] * (k - 1))
        errors.ak[items, m] = np.sqrt(np.einsum("np,npq,nq->n", jacobian, covariance, jacobian))
