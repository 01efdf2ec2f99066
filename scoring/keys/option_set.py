"""Every option that fits: full credit for exactly the right set, none for one too few or one too many."""

from decimal import Decimal

from scoring.errors import ResponseInvalid
from scoring.keys.values import OptionSetKey
from scoring.values import ResponseValue


def credit(response: ResponseValue, key: OptionSetKey) -> Decimal:
    """Return 1 when the chosen options are the correct ones, whatever their order, else 0; blank is 0.

    Raises
    ------
    ResponseInvalid
        The response is not a list of option letters.
    """
    if response is None:
        return Decimal(0)
    if not isinstance(response, list):
        raise ResponseInvalid("response", "a list of option letters is expected")
    for position, option in enumerate(response, start=1):
        if not isinstance(option, str):
            raise ResponseInvalid(f"option {position}", "a letter is expected")
    return Decimal(int(bool(response) and set(response) == set(key.correct)))
