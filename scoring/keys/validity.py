"""Is this key sound in itself? Authors, importers and key changes ask before they keep one."""

from scoring.errors import KeyInvalid
from scoring.keys.short_answer import normalised, number
from scoring.keys.values import ClusterKey, Compare, Key, OneOptionKey, OptionSetKey, RubricKey, ShortAnswerKey, VoidKey


def require_valid_key(key: Key) -> None:
    """Refuse a key that contradicts itself.

    Raises
    ------
    KeyInvalid
        With the place inside the key and the reason.
    """
    match key:
        case OneOptionKey():
            _require_letters("accepted", key.accepted)
        case OptionSetKey():
            _require_letters("correct", key.correct)
        case ClusterKey():
            _require_steps(key)
        case ShortAnswerKey():
            _require_answers(key)
        case RubricKey():
            _require_criteria(key)
        case VoidKey():
            if not key.reason.strip():
                raise KeyInvalid("reason", "say why the item counts for everybody")


def _require_letters(place: str, letters: tuple[str, ...]) -> None:
    if not letters:
        raise KeyInvalid(place, "at least one option is needed")
    if len(set(letters)) != len(letters):
        raise KeyInvalid(place, "an option is named twice")
    for letter in letters:
        if len(letter) != 1 or not "A" <= letter <= "H":
            raise KeyInvalid(place, f"{letter!r} is not the letter of an option, A to H")


def _require_steps(key: ClusterKey) -> None:
    if not key.statements:
        raise KeyInvalid("statements", "at least one statement is needed")
    if len(key.steps) != len(key.statements) + 1:
        raise KeyInvalid("steps", f"{len(key.statements)} statements need {len(key.statements) + 1} steps")
    if key.steps[0] != 0 or key.steps[-1] != 100 or list(key.steps) != sorted(key.steps):
        raise KeyInvalid("steps", "the steps must rise from 0 to 100")


def _require_answers(key: ShortAnswerKey) -> None:
    if not key.accepted:
        raise KeyInvalid("accepted", "at least one answer is needed")
    for answer in key.accepted:
        if not normalised(answer):
            raise KeyInvalid("accepted", "an answer is empty")
        if key.compare is Compare.NUMERIC and number(normalised(answer)) is None:
            raise KeyInvalid("accepted", f"{answer!r} is not a number")


def _require_criteria(key: RubricKey) -> None:
    if not key.criteria:
        raise KeyInvalid("criteria", "at least one criterion is needed")
    if len({criterion.id for criterion in key.criteria}) != len(key.criteria):
        raise KeyInvalid("criteria", "a criterion is named twice")
    for criterion in key.criteria:
        if criterion.maximum <= 0:
            raise KeyInvalid(f"criterion {criterion.id}", "its maximum must be above 0")
