"""GIFT → items. What we can hold is read, what changes on the way is told, what we cannot hold is refused.

Single and multiple choice, true/false (held as a choice between two pinned options), numbers and numeric short answers
on the grid, essays. Matching, free text answers and tolerances have no place here yet: they are refused, or left out
with a warning when the reader was told so.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from item_bank.checks.findings import Finding, Place, at, error, warning
from item_bank.errors import ContentInvalid
from item_bank.interchange.gift_grammar import Choice, Kind, Question, Text, parse
from item_bank.interchange.rows import ESSAY_WORDS, GRID_CHARACTERS, ReadItems
from item_bank.messages import Message, message
from item_bank.model import content
from item_bank.model.interactions import Essay, Interaction, MultipleChoice, Option, ShortNumeric, SingleChoice
from item_bank.model.item import Item, Level
from item_bank.model.taxonomy import find_level
from scoring.keys.short_answer import normalised, number
from scoring.keys.values import Criterion, Key, OneOptionKey, OptionSetKey, RubricKey, ShortAnswerKey

LETTERS = "ABCDEFGH"
TRUE_FALSE_WORDS: Mapping[str, tuple[str, str]] = {"vi": ("Đúng", "Sai"), "en": ("True", "False")}
WHOLE_ESSAY: Mapping[str, str] = {"vi": "Toàn bài", "en": "Whole text"}

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_TEX_INLINE = re.compile(r"\\\((.+?)\\\)", re.DOTALL)
_TEX_DISPLAY = re.compile(r"\\\[(.+?)\\\]", re.DOTALL)
_PLUGIN_FILE = "@@PLUGINFILE@@/"


class GiftDefaults(msgspec.Struct, frozen=True):
    """What GIFT does not say: where an item belongs, and whether to go on without what we cannot hold."""

    topic: str = ""  # when neither a category nor a tag names one
    level: Level = Level.UNDERSTAND
    prefix: str = "GIFT"  # of codes given to questions without id and usable title
    topics: frozenset[str] | None = None  # the bank's topics: a category of this name is one
    leave_out: bool = False


def read_gift(
    data: bytes,
    defaults: GiftDefaults,
    *,
    file: str = "",
    figures: Mapping[str, str] | None = None,
    language: str = "vi",
) -> ReadItems:
    """Read a GIFT file; questions with a mistake are left out and the mistakes told."""
    text, refusal = _decoded(data, file)
    if refusal is not None:
        return ReadItems((), {}, (refusal,))
    parsed = parse(text)
    findings: list[Finding] = [
        error("gift-syntax", Place(file=file, line=e.line, character=e.column), e.reason) for e in parsed.errors
    ]
    items: list[Item] = []
    places: dict[str, Place] = {}
    count = 0
    for question in parsed.questions:
        if question.kind is Kind.CATEGORY:
            continue
        count += 1
        place = Place(file=file, line=question.line, character=question.column)
        reader = _Reader(question, place, defaults, figures, language, count)
        item = reader.item()
        if item is not None and item.code in places:
            line = places[item.code].line
            reader.refuse("code-twice", message("the question on line {line} has the same code", line=line))
            item = None
        findings += reader.findings
        if item is not None:
            items.append(item)
            places[item.code] = at(place, item=item.code)
    findings.sort(key=lambda finding: (finding.place.line, finding.place.character))
    return ReadItems(tuple(items), places, tuple(findings))


def _decoded(data: bytes, file: str) -> tuple[str, Finding | None]:
    is_utf16 = data[:2] in {b"\xff\xfe", b"\xfe\xff"}
    try:
        return unicodedata.normalize("NFC", data.decode("utf-16" if is_utf16 else "utf-8-sig")), None
    except UnicodeDecodeError as wrong:
        line = data[: wrong.start].count(b"\n") + 1
        reason = message("the file is not UTF-8 text; save it as UTF-8")
        return "", error("encoding", Place(file=file, line=line), reason)


class _Unfit(Exception):
    """The question has no place here; carries the sentence that says why."""

    def __init__(self, reason: Message) -> None:
        self.reason = reason
        super().__init__(str(reason))


class _Reader:
    """One question on its way to an item."""

    def __init__(
        self,
        question: Question,
        place: Place,
        defaults: GiftDefaults,
        figures: Mapping[str, str] | None,
        language: str,
        position: int,
    ) -> None:
        self.question = question
        self.place = at(place, item=question.id or question.title or "")
        self.defaults = defaults
        self.figures = figures
        self.language = language
        self.position = position
        self.findings: list[Finding] = []

    def refuse(self, code: str, reason: Message, line: int = 0) -> None:
        place = at(self.place, line=line, character=0) if line else self.place
        self.findings.append(error(code, place, reason))

    def note(self, code: str, reason: Message, line: int = 0) -> None:
        place = at(self.place, line=line, character=0) if line else self.place
        self.findings.append(warning(code, place, reason))

    def item(self) -> Item | None:
        try:
            interaction, key = self._interaction()
        except _Unfit as unfit:
            if self.defaults.leave_out:
                self.note("gift-left-out", unfit.reason)
            else:
                self.refuse("gift-unsupported", unfit.reason)
            return None
        stem = self.html(self.question.stem, "stem", inline=False)
        explanation = self._explanation()
        topic, level, code = self._topic(), self._level(), self._code()
        if any(finding.is_error for finding in self.findings):
            return None
        return Item(
            code=code,
            topic=topic,
            level=level,
            stem=stem,
            interaction=interaction,
            key=key,
            explanation=explanation,
            language=self.language,
        )

    def html(self, text: Text, field: str, *, inline: bool, line: int = 0) -> str:
        place = at(self.place, field=field, **({"line": line, "character": 0} if line else {}))
        try:
            rendered = content.to_html(_source(text), inline=inline, figures=self.figures)
        except ContentInvalid as refusal:
            self.findings.append(error("content-invalid", place, refusal.reason))
            return ""
        if rendered.removed:
            parts = ", ".join(rendered.removed)
            reason = message("this is not kept in items and was taken out: {parts}", parts=parts)
            self.findings.append(warning("markup-removed", place, reason))
        if text.format == "markdown" and _has_more_markdown(text.text):
            reason = message("of Markdown only emphasis and paragraphs are read; the rest stays as typed")
            self.findings.append(warning("gift-markdown", place, reason))
        return rendered.html

    def _interaction(self) -> tuple[Interaction, Key]:
        match self.question.kind:
            case Kind.MULTIPLE_CHOICE:
                return self._choice()
            case Kind.TRUE_FALSE:
                return self._true_false()
            case Kind.NUMERICAL:
                return self._numerical()
            case Kind.SHORT_ANSWER:
                return self._short_answer()
            case Kind.ESSAY:
                self.note("gift-rubric", message("the essay was given a rubric of one criterion worth 1 point"))
                whole = Criterion("c1", WHOLE_ESSAY.get(self.language, WHOLE_ESSAY["en"]), 100)
                return Essay(ESSAY_WORDS), RubricKey((whole,))
            case Kind.MATCHING:
                raise _Unfit(message("matching questions are not supported"))
            case _:
                raise _Unfit(message("a text without answers is no item"))

    def _choice(self) -> tuple[Interaction, Key]:
        choices = self.question.choices
        if len(choices) > len(LETTERS):
            raise _Unfit(message("{count} options are more than {limit}", count=len(choices), limit=len(LETTERS)))
        options = tuple(
            Option(letter, self.html(choice.text, f"option_{letter.lower()}", inline=True, line=choice.line))
            for letter, choice in zip(LETTERS, choices, strict=False)
        )
        full = [letter for letter, c in zip(LETTERS, choices, strict=False) if c.is_correct and _weight(c) == 100]
        partial = [letter for letter, c in zip(LETTERS, choices, strict=False) if _weight(c) > 0 and letter not in full]
        if any(_weight(choice) < 0 for choice in choices):
            self.note("gift-penalty", message("negative weights are not kept: a wrong option gives nothing"))
        if full:
            if partial:
                self.note("gift-partial", message("partial weights are not kept: only the full answer gives credit"))
            if len(full) > 1:
                self.note("gift-several", message("each of several full answers is accepted"))
            return SingleChoice(options), OneOptionKey(tuple(full))
        if not partial:
            raise _Unfit(message("no option is right"))
        self.note("gift-set", message("credit is given for exactly the right set, not option by option"))
        return MultipleChoice(options), OptionSetKey(tuple(partial))

    def _true_false(self) -> tuple[Interaction, Key]:
        words = TRUE_FALSE_WORDS.get(self.language, TRUE_FALSE_WORDS["en"])
        options = tuple(Option(letter, word, pinned=True) for letter, word in zip("AB", words, strict=True))
        reason = message("true/false is held as a choice between “{yes}” and “{no}”", yes=words[0], no=words[1])
        self.note("gift-true-false", reason)
        return SingleChoice(options), OneOptionKey(("A" if self.question.is_true else "B",))

    def _numerical(self) -> tuple[Interaction, Key]:
        right = [choice for choice in self.question.choices if choice.is_correct and _weight(choice) == 100]
        if any(choice.range is not None and not choice.range.is_exact for choice in right):
            raise _Unfit(message("a number with a tolerance or range cannot be held: only exact answers can"))
        self._note_partial()
        return self._grid([choice.range.low for choice in right if choice.range is not None])

    def _short_answer(self) -> tuple[Interaction, Key]:
        right = [choice.text.text for choice in self.question.choices if _weight(choice) == 100]
        if not all(number(normalised(answer)) is not None for answer in right):
            raise _Unfit(message("short answers in words are not supported: only numbers are"))
        self._note_partial()
        return self._grid(right)

    def _grid(self, answers: Sequence[str]) -> tuple[Interaction, Key]:
        accepted = tuple(dict.fromkeys(normalised(answer).removeprefix("+") for answer in answers))
        if not accepted:
            raise _Unfit(message("no answer gives full credit"))
        too_long = next((answer for answer in accepted if len(answer) > GRID_CHARACTERS), None)
        if too_long is not None:
            reason = message("“{answer}” does not fit into {limit} characters", answer=too_long, limit=GRID_CHARACTERS)
            raise _Unfit(reason)
        return ShortNumeric(GRID_CHARACTERS), ShortAnswerKey(accepted)

    def _note_partial(self) -> None:
        if any(_weight(choice) not in (0, 100) for choice in self.question.choices):
            self.note("gift-partial", message("partial weights are not kept: only the full answer gives credit"))

    def _explanation(self) -> str:
        question = self.question
        parts = [] if question.general_feedback is None else [question.general_feedback]
        moved = list(self._option_feedback())
        if moved:
            self.note("gift-feedback", message("feedback of single answers was put into the explanation"))
        htmls = [self.html(text, "explanation", inline=False) for text in parts]
        for label, text in moved:
            feedback = self.html(text, "explanation", inline=True)
            htmls.append(feedback if feedback.startswith("<p>") else f"<p>{content.escaped(label)} {feedback}</p>")
        return "".join(htmls)

    def _option_feedback(self) -> Iterator[tuple[str, Text]]:
        question = self.question
        for letter, choice in zip(LETTERS, question.choices, strict=False):
            if choice.feedback is not None and choice.feedback.text:
                yield f"({letter})", choice.feedback
        for label, text in (("(✗)", question.feedback_wrong), ("(✓)", question.feedback_right)):
            if text is not None and text.text:
                yield label, text

    def _topic(self) -> str:
        tagged = next((tag.removeprefix("topic=") for tag in self.question.tags if tag.startswith("topic=")), None)
        if tagged:
            return tagged
        last = (self.question.category or "").rstrip("/").rpartition("/")[2].strip()
        if last and (self.defaults.topics is None or last in self.defaults.topics) and not last.startswith("$"):
            return last
        if not self.defaults.topic:
            reason = message("no topic is named: by a category, a tag [tag:topic=…] or the command")
            self.refuse("topic-missing", reason)
        return self.defaults.topic

    def _level(self) -> Level:
        for tag in self.question.tags:
            level = find_level(tag.removeprefix("level="))
            if level is not None:
                return level
        return self.defaults.level

    def _code(self) -> str:
        for name in (self.question.id, self.question.title):
            if name and _CODE.fullmatch(name.strip()):
                return name.strip()
        code = f"{self.defaults.prefix}-{self.position:03d}"
        if self.question.title:
            reason = message("“{title}” is no code; {code} was given", title=self.question.title, code=code)
        else:
            reason = message("the question was given the code {code}", code=code)
        self.note("gift-code", reason)
        return code


def _weight(choice: Choice) -> float:
    if choice.weight is not None:
        return choice.weight
    return 100.0 if choice.is_correct else 0.0


def _source(text: Text) -> str:
    """Write the text as an author of ours would type it."""
    typed = text.text.replace(_PLUGIN_FILE, "")
    typed = _TEX_DISPLAY.sub(lambda m: f"$${m.group(1)}$$", typed)
    typed = _TEX_INLINE.sub(lambda m: f"${m.group(1)}$", typed)
    match text.format:
        case "plain":
            return typed.replace("&", "&amp;").replace("<", "&lt;")
        case "html":
            return typed.replace("\n", " ")
        case "markdown":
            return _markdown(typed)
        case _:
            return typed


def _markdown(text: str) -> str:
    text = re.sub(r"\*\*(.+?)\*\*|__(.+?)__", lambda m: f"<b>{m.group(1) or m.group(2)}</b>", text)
    text = re.sub(r"(?<![\w*])\*(?!\s)(.+?)\*(?!\w)", r"<i>\1</i>", text)
    text = re.sub(r"(?<!\w)_(?![\s_])([^_]+?)_(?!\w)", r"<i>\1</i>", text)
    return re.sub(r" *\n\s*\n\s*", "\n", re.sub(r" {2,}\n", "<br>", text))


def _has_more_markdown(text: str) -> bool:
    return bool(re.search(r"(?m)^\s*(#{1,6} |[-*+] |\d+\. |>|```|\|)|!?\[[^\]]+\]\(|`", text))
