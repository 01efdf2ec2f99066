"""Short answer on the four-character grid, compared as a number or character by character.

QĐ 764/QĐ-BGDĐT of 8/3/2024, part III: digits, one comma, a leading minus. Signs are unified, spaces dropped. As numbers
0,50 = 0,5, 05 = 5, -0 = 0; what is no number (",5", "5,", "1,2,3") or longer than the grid is wrong, not an error.
As characters 0803 differs from 803. The decision leaves such cases open; `docs/formats/scoring.md` lists them.
"""

import re
from decimal import Decimal

from scoring.errors import ResponseInvalid
from scoring.keys.values import Compare, ShortAnswerKey
from scoring.values import ResponseValue

GRID_CHARACTERS = 4

_NUMBER = re.compile(r"-?[0-9]+(,[0-9]+)?")
_UNIFIED = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014\ufe63\uff0d", "-"),  # minus sign, hyphens, dashes
        **dict.fromkeys(".\uff0c\uff0e", ","),
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},  # full-width digits
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff"),  # zero-width characters pasted along
    }
)


def credit(response: ResponseValue, key: ShortAnswerKey) -> Decimal:
    """Return 1 when the response equals one of the accepted answers, else 0; blank and malformed are 0.

    Raises
    ------
    ResponseInvalid
        The response is not a text.
    """
    if response is None:
        return Decimal(0)
    if not isinstance(response, str):
        raise ResponseInvalid("response", "a short text is expected")
    given = normalised(response)
    accepted = [normalised(answer) for answer in key.accepted]
    # A key longer than the national grid tells that this paper has a wider one.
    if not given or len(given) > max(GRID_CHARACTERS, *(len(answer) for answer in accepted)):
        return Decimal(0)
    if key.compare is Compare.LITERAL:
        return Decimal(int(given in accepted))
    value = number(given)
    return Decimal(int(value is not None and value in {number(answer) for answer in accepted}))


def normalised(text: str) -> str:
    """Write an answer as the grid would hold it: "-" and "," only, plain digits, no spaces."""
    return "".join(text.translate(_UNIFIED).split())


def number(text: str) -> Decimal | None:
    """Read a normalised answer as a number; `None` when it is none."""
    if not _NUMBER.fullmatch(text):
        return None
    return Decimal(text.replace(",", "."))
