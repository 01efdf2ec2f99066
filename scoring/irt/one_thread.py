"""Matrix products on one thread while our own loops run.

The chunks are small enough to stay in the cache. Two OpenBLAS threads gain little on them on an idle machine, and where
other processes want the cores they wait for each other actively: thirty times slower, measured on two busy cores.
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module

import numpy as np

_NAMES = ("scipy_openblas_{}_num_threads64_", "scipy_openblas_{}_num_threads", "openblas_{}_num_threads")


@contextmanager
def one_thread() -> Iterator[None]:
    """Set numpy's matrix products to one thread within the block; where numpy has another library, do nothing."""
    controls = _controls()
    if controls is None:
        yield
        return
    get, put = controls
    before = get()
    put(1)
    try:
        yield
    finally:
        put(before)


@cache
def _controls() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """Find the two functions of OpenBLAS among the libraries numpy itself has loaded."""
    try:
        library = ctypes.CDLL(import_module(f"{np.linalg.__name__}._umath_linalg").__file__)
    except OSError:
        return None
    for name in _NAMES:
        get, put = getattr(library, name.format("get"), None), getattr(library, name.format("set"), None)
        if get is not None and put is not None:
            get.restype, put.restype, put.argtypes = ctypes.c_int, None, [ctypes.c_int]
            return get, put
    return None
