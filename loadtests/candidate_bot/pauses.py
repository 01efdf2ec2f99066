"""How long a seat waits before it asks again, in milliseconds; `chance`, uniform in [0, 1), keeps rooms out of step.

As `proctor_client/src/core/retry.ts` has it.
"""

FIRST_RETRY_MS = 800
LONGEST_RETRY_MS = 20_000
IDLE_MS = 6_800
IDLE_SPREAD_MS = 1_400
ASKING_MS = 4_500
ASKING_SPREAD_MS = 1_000
STORED_MS = 2_000


def retry_ms(failures: int, chance: float, retry_after_ms: int = 0) -> int:
    """Wait before the next try: exponential with jitter."""
    ceiling: int = min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** max(0, min(failures, 20) - 1))
    return round(retry_after_ms + ceiling * (0.5 + chance / 2))


def stored_ms(asked: int, chance: float) -> int:
    """Wait before asking whether a paper handed in is stored: first the lag of the write-behind, then ever longer."""
    ceiling: int = min(LONGEST_RETRY_MS, STORED_MS * 2 ** min(asked, 20))
    return round(ceiling * (0.5 + chance / 2))


def asking_ms(chance: float) -> int:
    """Wait of a seat that waits for the invigilator."""
    return round(ASKING_MS + ASKING_SPREAD_MS * chance)


def idle_ms(chance: float) -> int:
    """Wait of a seat that has nothing to send."""
    return round(IDLE_MS + IDLE_SPREAD_MS * chance)
