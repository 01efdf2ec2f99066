"""Options that say how applicants are compared, and what they mean together."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from exam_engine.admission.allocation import LastLevel, Rules, TieRule
from exam_engine.admission.instance_files import TIE_RULES

Ties = Annotated[
    str, typer.Option(help="reject_all, admit_all, aspiration_rank_then_admit_all or criteria (none, all, key).")
]
Criteria = Annotated[
    str, typer.Option(help='Sub-criteria in order, higher wins ("-" in front: lower); or aspiration_rank.')
]
Then = Annotated[str, typer.Option(help="Who is equal in all sub-criteria: reject_all or admit_all.")]
Offset = Annotated[str, typer.Option(help='Points above the cut-off by rank: "0,1,2"; the last holds for all further.')]
Percent = Annotated[str, typer.Option(help='Percent above the cut-off by rank: "0,10".')]


def parse_rules(ties: str, criteria: str, then: str, offset: str, percent: str) -> Rules:
    """Read the options as rules; what makes no sense is misuse."""
    names = tuple(name.strip() for name in criteria.split(",") if name.strip())
    if ties not in TIE_RULES:
        raise typer.BadParameter(f"the tie rule is one of {', '.join(TIE_RULES)}", param_hint="--ties")
    if then not in set(LastLevel):
        raise typer.BadParameter("reject_all or admit_all", param_hint="--then")
    if names and TIE_RULES[ties] is not TieRule.CRITERIA:
        raise typer.BadParameter("sub-criteria need --ties criteria", param_hint="--criteria")
    offsets = _hundredths(offset, "--offset")
    percentages = _hundredths(percent, "--percent")
    if any(value <= -10_000 for value in percentages):
        raise typer.BadParameter("a percentage must be above -100", param_hint="--percent")
    return Rules(ties=TIE_RULES[ties], criteria=names, then=LastLevel(then), offsets=offsets, percentages=percentages)


def _hundredths(text: str, option: str) -> tuple[int, ...]:
    try:
        values = [Decimal(part.strip()).scaleb(2) for part in text.split(",") if part.strip()]
        if any(abs(value) > 10**9 or value != value.to_integral_value() for value in values):
            raise InvalidOperation
    except InvalidOperation:
        message = f'"{text}" is no list of numbers with at most two decimals, such as 0,1,1.5'
        raise typer.BadParameter(message, param_hint=option) from None
    return tuple(int(value) for value in values)
