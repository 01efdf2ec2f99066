"""Keys in one cell ⇄ keys as data: `B`, `A,C`, `ĐSĐS`, `0,5|0,50`, `Content: 1,0; Language: 0,5`."""

import re
from decimal import Decimal

from item_bank.interchange.columns import OPTION_LETTERS
from item_bank.messages import Message, message
from scoring.keys.short_answer import normalised
from scoring.keys.values import (
    CLUSTER_STEPS_2025,
    ClusterKey,
    Compare,
    Criterion,
    Key,
    OneOptionKey,
    OptionSetKey,
    RubricKey,
    ShortAnswerKey,
    VoidKey,
)
from scoring.values import to_hundredths

VOID = "void:"

_JUDGEMENTS = {"Đ": True, "D": True, "T": True, "S": False, "F": False}
_CRITERION = re.compile(r"(?P<title>.+?)\s*:\s*(?P<points>\d+(?:[.,]\d{1,2})?)\s*(?:\[(?P<levels>[^\]]*)\])?")


class KeyUnreadable(Exception):
    """A key cell makes no sense; carries the sentence that says why."""

    def __init__(self, reason: Message) -> None:
        self.reason = reason
        super().__init__(str(reason))


def read_key(kind: str, cell: str, *, compare: Compare = Compare.NUMERIC, steps: tuple[int, ...] | None = None) -> Key:
    """Read the key of an item of this kind.

    Raises
    ------
    KeyUnreadable
        The cell is empty or not in the notation of this kind.
    """
    text = cell.strip()
    if not text:
        raise KeyUnreadable(message("the key is missing"))
    if text.casefold().startswith(VOID):
        return VoidKey(text[len(VOID) :].strip())
    match kind:
        case "single_choice":
            return OneOptionKey(_one_letter_each(text))
        case "multiple_choice":
            return OptionSetKey(tuple(sorted(_letters(text))))
        case "true_false_cluster":
            judged = _judgements(text)
            return ClusterKey(judged, steps or default_steps(len(judged)))
        case "short_numeric":
            return ShortAnswerKey(tuple(normalised(a) for a in re.split(r"[|;]", text) if a.strip()), compare)
        case _:
            return RubricKey(_criteria(text))


def write_key(key: Key) -> str:
    """Write a key so that `read_key` reads the same."""
    match key:
        case OneOptionKey(accepted=accepted):
            return "|".join(accepted)
        case OptionSetKey(correct=correct):
            return ",".join(correct)
        case ClusterKey(statements=statements):
            return "".join("Đ" if statements[letter] else "S" for letter in sorted(statements))
        case ShortAnswerKey(accepted=accepted):
            return "|".join(accepted)
        case RubricKey(criteria=criteria):
            return "; ".join(_written_criterion(criterion) for criterion in criteria)
        case VoidKey(reason=reason):
            return f"{VOID} {reason}"


def read_steps(cell: str) -> tuple[int, ...]:
    """Read the credits of a cluster: `0; 0,1; 0,25; 0,5; 1`.

    Raises
    ------
    KeyUnreadable
        A part is no number.
    """
    parts = [part.strip().replace(",", ".") for part in re.split(r"[;|]", cell) if part.strip()]
    if not parts or not all(re.fullmatch(r"\d(\.\d{1,2})?", part) for part in parts):
        raise KeyUnreadable(message("steps are numbers like 0; 0,1; 0,25; 0,5; 1"))
    return tuple(to_hundredths(Decimal(part)) for part in parts)


def write_steps(steps: tuple[int, ...]) -> str:
    """Write the credits of a cluster, or nothing when they are the usual ones."""
    return "" if steps == default_steps(len(steps) - 1) else "; ".join(_written_points(step) for step in steps)


def default_steps(n_statements: int) -> tuple[int, ...]:
    """Return the credits of the national paper for four statements, else equal steps."""
    if n_statements + 1 == len(CLUSTER_STEPS_2025):
        return CLUSTER_STEPS_2025
    return tuple(to_hundredths(Decimal(right) / max(n_statements, 1)) for right in range(n_statements + 1))


def _one_letter_each(text: str) -> tuple[str, ...]:
    letters = tuple(part.strip() for part in text.upper().split("|"))
    if any(len(letter) > 1 and set(letter) <= {*OPTION_LETTERS, *",; "} for letter in letters):
        raise KeyUnreadable(message("one letter is the key of a single choice; several need the kind multiple_choice"))
    return _letters("|".join(letters))


def _letters(text: str) -> tuple[str, ...]:
    parts = [part for part in re.split(r"[,;|\s]+", text.upper()) if part]
    if len(parts) == 1 and len(parts[0]) > 1 and set(parts[0]) <= set(OPTION_LETTERS):
        parts = list(parts[0])
    wrong = next((part for part in parts if part not in OPTION_LETTERS or len(part) != 1), None)
    if wrong is not None:
        raise KeyUnreadable(message("“{key}” is no option letter", key=wrong[:20]))
    if len(set(parts)) != len(parts):
        raise KeyUnreadable(message("an option is named twice"))
    return tuple(parts)


def _judgements(text: str) -> dict[str, bool]:
    signs = re.sub(r"[\s,;|/.-]+", "", text.upper().replace("ĐÚNG", "Đ").replace("SAI", "S"))
    wrong = next((sign for sign in signs if sign not in _JUDGEMENTS), None)
    if wrong is not None:
        raise KeyUnreadable(message("“{sign}” is neither Đ nor S (T nor F)", sign=wrong))
    return {OPTION_LETTERS[index].lower(): _JUDGEMENTS[sign] for index, sign in enumerate(signs[: len(OPTION_LETTERS)])}


def _criteria(text: str) -> tuple[Criterion, ...]:
    criteria = []
    for index, part in enumerate((p.strip() for p in re.split(r"[;\n](?![^\[]*\])", text) if p.strip()), start=1):
        found = _CRITERION.fullmatch(part)
        if found is None:
            raise KeyUnreadable(message("write the criterion “{criterion}” as “name: points”", criterion=part[:40]))
        levels = tuple(level.strip() for level in (found["levels"] or "").split("|") if level.strip())
        points = to_hundredths(Decimal(found["points"].replace(",", ".")))
        criteria.append(Criterion(f"c{index}", found["title"], points, levels))
    if not criteria:
        raise KeyUnreadable(message("the rubric has no criterion"))
    return tuple(criteria)


def _written_criterion(criterion: Criterion) -> str:
    levels = f" [{' | '.join(criterion.levels)}]" if criterion.levels else ""
    return f"{criterion.title}: {_written_points(criterion.maximum)}{levels}"


def _written_points(hundredths: int) -> str:
    whole, part = divmod(hundredths, 100)
    return f"{whole},{part:02d}".rstrip("0").rstrip(",") if part else str(whole)
