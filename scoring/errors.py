"""Refusals of the scoring package.

ScoringError
├── ResponseInvalid         a response has a shape its key cannot judge
├── KeyInvalid              a key contradicts itself
├── MarkMissing             an essay was answered and nobody has marked it yet
├── MarkInvalid             a human mark does not fit its rubric
├── PaperFormatUnknown      no data file describes this paper
├── RuleSetUnknown          no data file holds this rule set
├── RuleSetInvalid          a rule set cannot be read
├── RuleSetNotValid         a rule set does not apply to this year
├── RecordInvalid           a record for the graduation score cannot be read
├── ItemParametersInvalid   parameters of an item contradict its model
├── ResponsesUnusable       responses cannot be calibrated: a column never answered, one category only, a wrong category
│   ├── FitUndefined        a measure of fit or quality cannot be computed from them
│   ├── GroupsUnusable      two groups cannot be compared: one is missing or too small
│   └── RatingsUnusable     judges' ratings give no cut score: one is missing or outside its range
└── CalibrationImpossible   the options contradict each other or the data
    ├── LinkingImpossible   two calibrations have too little in common to be put on one scale
    └── ScaleInvalid        a reporting scale or its cut scores contradict themselves
"""

from collections.abc import Sequence

import msgspec


class ScoringError(Exception):
    """Base of every refusal in `scoring`; leaves carry the facts that explain it."""


class Misplaced(ScoringError):
    """Something wrong in one place: sentences with `{name}` fields and the facts that fill them, for any language."""

    def __init__(self, place: str, reason: str, **facts: str | int) -> None:
        self._sentences = (place, reason)
        self._facts = facts
        self.place = place.format(**facts) if facts else place
        self.reason = reason.format(**facts) if facts else reason
        super().__init__(f"{self.place}: {self.reason}" if place else self.reason)

    @property
    def sentences(self) -> tuple[str, str]:
        """Place and reason with their fields unfilled."""
        return self._sentences

    @property
    def facts(self) -> dict[str, str | int]:
        """What fills the fields of both."""
        return dict(self._facts)


class ResponseInvalid(Misplaced):
    """The response is not of the kind the key judges (a list where one letter belongs, an unknown statement)."""


class KeyInvalid(Misplaced):
    """The key contradicts itself: no accepted option, steps that do not fit the statements."""


class MarkInvalid(Misplaced):
    """The mark names a criterion the rubric lacks, leaves one out, or goes beyond its maximum."""


class Mistake(msgspec.Struct, frozen=True):
    """One thing wrong in one column: a sentence with `{name}` fields, and the facts that fill them."""

    column: str
    message: str
    facts: dict[str, str]

    @property
    def reason(self) -> str:
        """The sentence, filled."""
        return self.message.format(**self.facts)


class RecordInvalid(ScoringError):
    """Columns of a candidate's record that cannot be read; all of them."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(f"column {mistake.column}: {mistake.reason}" for mistake in self.mistakes))


class MarkMissing(ScoringError):
    """An answered essay has no mark, so no score can be given."""

    def __init__(self, place: str) -> None:
        self.place = place
        super().__init__(f"{place}: this response has not been marked")


class PaperFormatUnknown(ScoringError):
    """There is no such paper format; the known ones are listed."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(f"there is no paper format {name!r}; known: {', '.join(self.known)}")


class RuleSetUnknown(ScoringError):
    """There is no such rule set; the known ones are listed."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(f"there is no rule set {name!r}; known: {', '.join(self.known)}")


class RuleSetInvalid(ScoringError):
    """The text of a rule set is not what the engine reads."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"rule set {name}: {reason}")


class RuleSetNotValid(ScoringError):
    """The rule set exists, for other years."""

    def __init__(self, name: str, year: int, first_year: int, last_year: int | None) -> None:
        self.name = name
        self.year = year
        self.first_year = first_year
        self.last_year = last_year
        period = f"{first_year} to {last_year}" if last_year is not None else f"{first_year} on"
        super().__init__(f"rule set {name} holds for exams of {period}, not of {year}")


class ItemParametersInvalid(Misplaced):
    """Parameters of an item contradict its model: a category too many, an asymptote outside its range."""


class ResponsesUnusable(Misplaced):
    """Responses that cannot be calibrated: an item never answered, one category only, too few candidates."""


class CalibrationImpossible(Misplaced):
    """The options of a calibration contradict each other or the data."""


class FitUndefined(ResponsesUnusable):
    """A measure of fit or quality cannot be computed: responses are missing, or fewer moments than parameters."""


class GroupsUnusable(ResponsesUnusable):
    """Groups that cannot be compared: one is missing, or too small."""


class LinkingImpossible(CalibrationImpossible):
    """Two calibrations share too few items, or items of different models, to be put on one scale."""


class RatingsUnusable(ResponsesUnusable):
    """Judges' ratings or bookmarks that give no cut score: one is missing, or outside its range."""


class ScaleInvalid(CalibrationImpossible):
    """A reporting scale or its cut scores contradict themselves: no slope, ends or cuts that do not rise."""
