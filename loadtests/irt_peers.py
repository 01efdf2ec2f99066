"""Time one calibration with a peer package, in the peers' own environment; started by `bench_irt` and free of our code.

Arguments: package, model, a .npy file of responses, the .npz file to write estimates and seconds to.
"""

import sys
import time
from importlib import import_module

import numpy as np


def main() -> None:
    """Run the calibration that the arguments name."""
    package, model, data, result = sys.argv[1:]
    responses = np.load(data).astype(int)
    if package == "girth":
        girth = import_module("girth")
        start = time.perf_counter()
        fit = girth.twopl_mml(responses.T, options={"quadrature_n": 61})
        seconds = time.perf_counter() - start
        estimates = {"discrimination": fit["Discrimination"], "difficulty": fit["Difficulty"]}
    else:
        mirt = import_module("mirt")
        start = time.perf_counter()
        # The same number of points as ours; standard errors left out on both sides.
        fit = mirt.fit_mirt(responses, model=model.upper(), n_quadpts=61, compute_standard_errors=False)
        seconds = time.perf_counter() - start
        estimates = dict(fit.model.parameters)
    np.savez(result, seconds=seconds, **estimates)


if __name__ == "__main__":
    main()
