"""Banks of mixed models for tests."""

import numpy as np

from scoring.irt.bank import ItemBank, item_bank

KINDS = ("2pl", "3pl", "graded", "gpcm", "nominal", "4pl", "rasch", "pcm")


def mixed_bank(n_items: int = 16, seed: int = 1) -> ItemBank:
    rng = np.random.default_rng(seed)
    models = [KINDS[i % len(KINDS)] for i in range(n_items)]
    d = np.full((n_items, 4), np.nan)
    c, u, ak = np.zeros(n_items), np.ones(n_items), np.tile(np.arange(5.0), (n_items, 1))
    for i, model in enumerate(models):
        if model in ("2pl", "3pl", "4pl", "rasch"):
            d[i, 0] = rng.normal()
        elif model == "graded":
            d[i] = np.sort(rng.normal(0.0, 1.2, 4))[::-1] - 0.3 * np.arange(4)
        else:
            d[i, :3] = rng.normal(0.0, 0.7, 3)
        if model == "nominal":
            ak[i, :4] = [0.0, 0.6, 2.2, 3.0]
        if model in ("3pl", "4pl"):
            c[i] = 0.2
        if model == "4pl":
            u[i] = 0.95
    names = [f"item{i}" for i in range(n_items)]
    return item_bank(names, models, a=rng.lognormal(0.0, 0.2, n_items), d=d, c=c, u=u, ak=ak)
