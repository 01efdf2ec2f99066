"""When a process that serves looks for garbage in cycles: rarely, and never among what it was born with."""

import gc

_YOUNG, _MIDDLE, _OLD = 20_000, 50, 100  # objects; collections of the generation before


def collect_rarely() -> None:
    """Call once when everything is imported and built, in a process that lives for one purpose.

    Modules, routes and tables stay for ever and hold half a million objects; with the interpreter's own thresholds a
    busy worker walks over them again and again, which made a quarter of what a saved answer costs. What requests leave
    behind is freed by its reference count, cycles are few.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
