"""The accommodation of a candidate: a factor on everybody's time, in hundredths; 1.00 is no accommodation."""

import re

LEAST, MOST = 100, 300
_FACTOR = re.compile(r"([1-3])(?:[.,]([0-9]{1,2}))?")


def parse_time_factor(text: str) -> int:
    """Return hundredths of a factor typed as 1.25 or 1,25.

    Raises
    ------
    ValueError
        It is no factor from 1 to 3 with at most two decimals.
    """
    found = _FACTOR.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    hundredths = 100 * int(found[1]) + int((found[2] or "").ljust(2, "0"))
    if hundredths > MOST:
        raise ValueError(text)
    return hundredths


def show_time_factor(hundredths: int) -> str:
    """Return a factor as people read it."""
    return f"{hundredths // 100}.{hundredths % 100:02d}"
