"""One option out of several: full credit for an accepted letter, none for anything else.

QĐ 764/QĐ-BGDĐT of 8/3/2024, part I of the papers from 2025. Two options marked on a sheet arrive as "AC": wrong.
"""

from decimal import Decimal

from scoring.errors import ResponseInvalid
from scoring.keys.values import OneOptionKey
from scoring.values import ResponseValue


def credit(response: ResponseValue, key: OneOptionKey) -> Decimal:
    """Return 1 for an accepted option, else 0; blank is 0.

    Raises
    ------
    ResponseInvalid
        The response is not one letter but a list or a set of statements.
    """
    if response is None:
        return Decimal(0)
    if not isinstance(response, str):
        raise ResponseInvalid("response", "one option letter is expected")
    return Decimal(int(response in key.accepted))
