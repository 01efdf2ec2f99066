"""Keys on their way from the author's letters to the master form and to a paper code, always beside the options."""

from collections.abc import Mapping
from typing import assert_never

import msgspec

from item_bank.forms.errors import KeyMisfit
from item_bank.model.interactions import (
    Essay,
    Interaction,
    MultipleChoice,
    ShortNumeric,
    SingleChoice,
    TrueFalseCluster,
)
from scoring.keys.values import ClusterKey, Key, OneOptionKey, OptionSetKey, RubricKey, ShortAnswerKey, VoidKey
from scoring.values import ResponseValue

_CHOICE_LETTERS = "ABCDEFGH"
_STATEMENT_LETTERS = "abcdefgh"


def key_for_form(author_key: Key, option_order: str | None) -> Key:
    """Turn the author's letters into master letters; `option_order[i]` is the author's option at master letter i."""
    return author_key if option_order is None else _relabelled(author_key, option_order)


def key_for_code(master_key: Key, options: str) -> Key:
    """Turn master letters into the letters a paper code displays; `options[i]` is the master letter at place i."""
    return _relabelled(master_key, options) if options else master_key


def response_for_code(response: ResponseValue, options: str) -> ResponseValue:
    """Turn a response in master letters into what the candidate of a paper code saw and touched."""
    if not options:
        return response
    choice = _places(options, _CHOICE_LETTERS)
    match response:
        case str():
            return choice[response]
        case list():
            return sorted(choice[letter] for letter in response)
        case dict():
            statement = _places(options, _STATEMENT_LETTERS)
            return {statement[letter]: value for letter, value in sorted(response.items())}
        case _:
            return response


def require_key_fits(interaction: Interaction, key: Key) -> None:
    """Check that a key judges this kind of interaction and names only what it has.

    Raises
    ------
    KeyMisfit
        It does not; a void key fits everything.
    """
    if isinstance(key, VoidKey):
        return
    match interaction, key:
        case (SingleChoice(options=options), OneOptionKey(accepted=letters)) | (
            MultipleChoice(options=options),
            OptionSetKey(correct=letters),
        ):
            unknown = set(letters) - {option.id for option in options}
            if unknown:
                raise KeyMisfit("key", f"the item has no option {', '.join(sorted(unknown))}")
        case TrueFalseCluster(statements=statements), ClusterKey(statements=judged):
            if {statement.id for statement in statements} != set(judged):
                raise KeyMisfit("key", "it does not judge exactly the statements of the item")
        case ShortNumeric(max_characters=limit), ShortAnswerKey(accepted=answers):
            if any(len(answer) > limit for answer in answers):
                raise KeyMisfit("key", f"an answer is longer than {limit} characters")
        case Essay(), RubricKey():
            return
        case _:
            raise KeyMisfit("key", "it is a key for another kind of item")


def shown_key(key: Key, language: str = "vi") -> str:
    """Write a key as it stands in a printed key: B · A, C · ĐSĐS · 0,5 | 0,50. An essay has its rubric instead."""
    match key:
        case OneOptionKey(accepted=letters) | OptionSetKey(correct=letters):
            return ", ".join(letters)
        case ClusterKey(statements=statements):
            true, false = ("Đ", "S") if language == "vi" else ("T", "F")
            return "".join(true if statements[letter] else false for letter in sorted(statements))
        case ShortAnswerKey(accepted=answers):
            return " | ".join(answers)
        case RubricKey():
            return ""
        case VoidKey():
            return "*"
        case _:
            assert_never(key)


def _relabelled(key: Key, order: str) -> Key:
    match key:
        case OneOptionKey():
            places = _places(order, _CHOICE_LETTERS)
            return OneOptionKey(tuple(sorted(places[letter] for letter in key.accepted)))
        case OptionSetKey():
            places = _places(order, _CHOICE_LETTERS)
            return OptionSetKey(tuple(sorted(places[letter] for letter in key.correct)))
        case ClusterKey():
            places = _places(order, _STATEMENT_LETTERS)
            judged = {places[letter]: value for letter, value in key.statements.items()}
            return msgspec.structs.replace(key, statements=dict(sorted(judged.items())))
        case _:
            return key


def _places(order: str, letters: str) -> Mapping[str, str]:
    """Map what stands at each place to the letter of that place."""
    return dict(zip(order, letters, strict=False))
