"""The grammar of GIFT: text → questions as written, with line and column of everything; what they mean to us is `gift`.

Blank lines separate questions, `//` begins a comment line, `\\` escapes `~ = # { } :`, and `\\n` is a new line
(docs.moodle.org/en/GIFT_format). Every syntax error is collected, so that one reading finds them all.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import msgspec

from item_bank.errors import GiftSyntax
from item_bank.messages import Message, message

FORMATS = ("html", "moodle", "plain", "markdown")
BLANK = "_____"


class Kind(StrEnum):
    """What kind of question GIFT makes of its answers."""

    CATEGORY = "category"
    DESCRIPTION = "description"
    ESSAY = "essay"
    TRUE_FALSE = "true_false"
    MULTIPLE_CHOICE = "multiple_choice"
    SHORT_ANSWER = "short_answer"
    NUMERICAL = "numerical"
    MATCHING = "matching"


class Text(msgspec.Struct, frozen=True):
    """A text in one of the formats, escapes resolved."""

    text: str
    format: str = "moodle"


class Range(msgspec.Struct, frozen=True):
    """A numerical answer: every number from `low` to `high` is right; as written."""

    low: str
    high: str
    tolerance: str = "0"  # as written after the colon

    @property
    def is_exact(self) -> bool:
        """Whether one number alone is right."""
        return self.low == self.high and float(self.tolerance) == 0


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One answer after `=` or `~`."""

    is_correct: bool
    text: Text
    line: int
    weight: float | None = None  # per cent
    feedback: Text | None = None
    range: Range | None = None  # of a numerical answer; none means any other number


class Pair(msgspec.Struct, frozen=True):
    """One line of a matching question."""

    question: Text
    answer: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question as written."""

    kind: Kind
    line: int
    column: int
    title: str | None = None
    stem: Text = Text("")
    has_blank: bool = False  # the answers stand inside the stem
    choices: tuple[Choice, ...] = ()
    pairs: tuple[Pair, ...] = ()
    is_true: bool | None = None
    feedback_wrong: Text | None = None  # of a true/false question
    feedback_right: Text | None = None
    general_feedback: Text | None = None
    id: str | None = None  # [id:…] in a comment before it
    tags: tuple[str, ...] = ()  # [tag:…]
    category: str | None = None


class Parsed(msgspec.Struct, frozen=True):
    """Everything a text holds."""

    questions: tuple[Question, ...]
    errors: tuple[GiftSyntax, ...]


_COMMENT = re.compile(r"\s*//")
_MARK = re.compile(r"\[(id|tag):((?:[^\]\\]|\\.)*)\]")
_CATEGORY = re.compile(r"\s*\$CATEGORY:\s*(.*?)\s*$")
_FORMAT = re.compile(rf"\s*\[({'|'.join(FORMATS)})\]", re.IGNORECASE)
_ESCAPE = re.compile(r"\\([~=#{}:\\n])")
_WEIGHT = re.compile(r"\s*%(-?\d+(?:\.\d+)?)%")
_TRUE_FALSE = re.compile(r"\s*(TRUE|FALSE|T|F)\s*(?=#|$)", re.IGNORECASE)
_NUMBER = r"[+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"\s*(?:({_NUMBER})\s*\.\.\s*({_NUMBER})|({_NUMBER})(?:\s*:\s*({_NUMBER}))?)\s*")


def parse(text: str) -> Parsed:
    """Read a GIFT text."""
    questions: list[Question] = []
    errors: list[GiftSyntax] = []
    category: str | None = None
    for block in _blocks(text):
        found = _CATEGORY.fullmatch(block.text)
        if found:
            category = found.group(1)
            questions.append(Question(kind=Kind.CATEGORY, line=block.line, column=1, title=category))
            continue
        try:
            question = _question(block)
        except GiftSyntax as error:
            errors.append(error)
            continue
        questions.append(msgspec.structs.replace(question, category=category))
    return Parsed(tuple(questions), tuple(errors))


class _Block:
    """The lines of one question without its comments; offsets find their way back to line and column."""

    def __init__(self, lines: list[tuple[int, str]], comments: list[str]) -> None:
        self.line = lines[0][0]
        self.text = "\n".join(text for _, text in lines)
        self.marks = _MARK.findall("\n".join(comments))
        self._numbers = [number for number, _ in lines]
        self._starts = [0]
        for _, text in lines:
            self._starts.append(self._starts[-1] + len(text) + 1)

    def place(self, offset: int) -> tuple[int, int]:
        index = min(bisect_right(self._starts, offset) - 1, len(self._numbers) - 1)
        return self._numbers[index], offset - self._starts[index] + 1

    def refuse(self, reason: Message, offset: int) -> GiftSyntax:
        return GiftSyntax(reason, *self.place(offset))


def _blocks(text: str) -> Iterator[_Block]:
    lines: list[tuple[int, str]] = []
    comments: list[str] = []
    for number, line in enumerate([*text.removeprefix("\ufeff").splitlines(), ""], start=1):
        if _COMMENT.match(line):
            comments.append(line)
        elif _CATEGORY.fullmatch(line):
            if lines:
                yield _Block(lines, comments)
            yield _Block([(number, line)], [])
            lines, comments = [], []
        elif line.strip():
            lines.append((number, line))
        elif lines:
            yield _Block(lines, comments)
            lines, comments = [], []


def _question(block: _Block) -> Question:
    text, start = block.text, 0
    title = None
    if text.lstrip().startswith("::"):
        opening = text.index("::")
        closing = _find(text, "::", opening + 2)
        if closing < 0:
            raise block.refuse(message("the title is not closed by ::"), opening)
        title, start = _resolved(text[opening + 2 : closing], "moodle"), closing + 2
    marked = _FORMAT.match(text, start)
    format_, start = (marked.group(1).lower(), marked.end()) if marked else ("moodle", start)
    opening = _find(text, "{", start)
    stray = _find(text, "}", start)
    if stray >= 0 and (opening < 0 or stray < opening):
        raise block.refuse(
            message("this brace closes nothing; write {escaped} for a brace in the text", escaped="\\}"), stray
        )
    common: dict[str, Any] = {
        "title": title,
        "line": block.line,
        "column": block.place(len(text) - len(text.lstrip()))[1],
        "id": next((value for name, value in block.marks if name == "id"), None),
        "tags": tuple(value for name, value in block.marks if name == "tag"),
    }
    if opening < 0:
        stem = Text(_resolved(text[start:], format_), format_)
        return Question(kind=Kind.DESCRIPTION, stem=stem, **common)
    closing = _find(text, "}", opening + 1)
    nested = _find(text, "{", opening + 1)
    if closing < 0:
        reason = message("the answers opened here are not closed before the next blank line")
        raise block.refuse(reason, opening)
    if 0 <= nested < closing:
        raise block.refuse(message("a brace inside the answers must be written {escaped}", escaped="\\{"), nested)
    if nested >= 0:
        raise block.refuse(message("a question can have one block of answers only"), nested)
    after = text[closing + 1 :]
    has_blank = bool(after.strip())
    raw_stem = f"{text[start:opening].rstrip(' ')} {BLANK}{after}" if has_blank else text[start:opening]
    stem = Text(_resolved(raw_stem, format_), format_)
    answers = _Answers(block, opening + 1, closing, format_)
    return Question(stem=stem, has_blank=has_blank, **common, **answers.read())


class _Answers:
    """The text between the braces."""

    def __init__(self, block: _Block, start: int, end: int, format_: str) -> None:
        self.block = block
        self.start = start
        self.end = end
        self.format = format_

    def read(self) -> dict[str, Any]:
        text = self.block.text
        general = _find(text, "####", self.start, self.end)
        feedback = None
        end = self.end
        if general >= 0:
            feedback = self._text(general + 4, self.end)
            end = general
        return {"general_feedback": feedback, **self._read_answers(self.start, end)}

    def _read_answers(self, start: int, end: int) -> dict[str, Any]:
        text = self.block.text
        body = text[start:end]
        if not body.strip():
            return {"kind": Kind.ESSAY}
        if body.lstrip().startswith("#"):
            return self._numerical(start + body.index("#") + 1, end)
        judged = _TRUE_FALSE.match(body)
        if judged:
            return self._true_false(judged, start, end)
        choices = self._choices(start, end)
        if not choices:  # {One}: a single accepted answer needs no sign
            only = Choice(is_correct=True, text=self._text(start, end), line=self.block.place(start)[0])
            return {"kind": Kind.SHORT_ANSWER, "choices": (only,)}
        spans = [self._part(begin, stop) for begin, stop in choices]
        if any(text[begin] == "~" for begin, _ in choices):
            return {"kind": Kind.MULTIPLE_CHOICE, "choices": tuple(spans)}
        arrows = [_find(text, "->", begin, stop) for begin, stop in choices]
        if all(arrow >= 0 for arrow in arrows):
            return {"kind": Kind.MATCHING, "pairs": tuple(self._pairs(choices, arrows))}
        return {"kind": Kind.SHORT_ANSWER, "choices": tuple(spans)}

    def _choices(self, start: int, end: int) -> list[tuple[int, int]]:
        text = self.block.text
        signs = [offset for offset in _unescaped(text, start, end) if text[offset] in "=~"]
        if not signs:
            return []
        if text[start : signs[0]].strip():
            first = start + len(text[start:end]) - len(text[start:end].lstrip())
            raise self.block.refuse(message("answers begin with = or ~"), first)
        return list(zip(signs, [*signs[1:], end], strict=True))

    def _part(self, begin: int, stop: int) -> Choice:
        text = self.block.text
        weight, start = self._weight(begin + 1, stop)
        hash_at = _find(text, "#", start, stop)
        feedback = self._text(hash_at + 1, stop) if hash_at >= 0 else None
        return Choice(
            is_correct=text[begin] == "=",
            text=self._text(start, hash_at if hash_at >= 0 else stop),
            line=self.block.place(begin)[0],
            weight=weight,
            feedback=feedback if feedback and feedback.text else None,
        )

    def _weight(self, start: int, stop: int) -> tuple[float | None, int]:
        text = self.block.text
        found = _WEIGHT.match(text, start, stop)
        if found:
            return float(found.group(1)), found.end()
        if text[start:stop].lstrip().startswith("%"):
            offset = start + text[start:stop].index("%")
            raise self.block.refuse(message("a weight is a number between per cent signs, like %50%"), offset)
        return None, start

    def _true_false(self, judged: re.Match[str], start: int, end: int) -> dict[str, Any]:
        parts = _split(self.block.text, "#", start + judged.end(), end)
        feedback = [self._text(begin, stop) for begin, stop in parts[1:]]
        if len(feedback) > 2:
            raise self.block.refuse(message("true/false has at most two feedbacks"), parts[3][0] - 1)
        shown = [text if text.text else None for text in feedback] + [None, None]
        return {
            "kind": Kind.TRUE_FALSE,
            "is_true": judged.group(1).upper().startswith("T"),
            "feedback_wrong": shown[0],
            "feedback_right": shown[1],
        }

    def _numerical(self, start: int, end: int) -> dict[str, Any]:
        text = self.block.text
        spans = self._choices(start, end) if any(text[o] in "=~" for o in _unescaped(text, start, end)) else []
        choices = []
        for begin, stop in spans or [(start - 1, end)]:
            weight, first = self._weight(begin + 1, stop)
            hash_at = _find(text, "#", first, stop)
            last = hash_at if hash_at >= 0 else stop
            is_correct = not spans or text[begin] == "="
            choices.append(
                Choice(
                    is_correct=is_correct,
                    text=self._text(first, last),
                    line=self.block.place(begin)[0],
                    weight=weight,
                    feedback=self._text(hash_at + 1, stop) if hash_at >= 0 else None,
                    range=self._range(first, last) if text[first:last].strip() or is_correct else None,
                )
            )
        return {"kind": Kind.NUMERICAL, "choices": tuple(choices)}

    def _range(self, start: int, stop: int) -> Range:
        found = _RANGE.fullmatch(self.block.text, start, stop)
        if found is None:
            raise self.block.refuse(message("a number, number:tolerance or low..high is expected here"), start)
        low, high, number, tolerance = (part and part.replace(",", ".") for part in found.groups())
        if number is not None:
            return Range(number, number, tolerance or "0")
        return Range(low, high)

    def _pairs(self, choices: list[tuple[int, int]], arrows: list[int]) -> Iterator[Pair]:
        for (begin, stop), arrow in zip(choices, arrows, strict=True):
            yield Pair(self._text(begin + 1, arrow), _resolved(self.block.text[arrow + 2 : stop], "moodle"))

    def _text(self, start: int, end: int) -> Text:
        text = self.block.text
        marked = _FORMAT.match(text, start, end)
        format_ = marked.group(1).lower() if marked else self.format
        return Text(_resolved(text[marked.end() if marked else start : end], format_), format_)


def _unescaped(text: str, start: int, end: int) -> Iterator[int]:
    """Offsets of the characters that no backslash protects."""
    offset = start
    while offset < end:
        if text[offset] == "\\":
            offset += 2
            continue
        yield offset
        offset += 1


def _find(text: str, sign: str, start: int, end: int | None = None) -> int:
    stop = len(text) if end is None else end
    return next((o for o in _unescaped(text, start, stop) if text.startswith(sign, o, stop)), -1)


def _split(text: str, sign: str, start: int, end: int) -> list[tuple[int, int]]:
    signs = [o for o in _unescaped(text, start, end) if text[o] == sign]
    return list(zip([start, *(o + 1 for o in signs)], [*signs, end], strict=True))


def _resolved(raw: str, format_: str) -> str:
    """Resolve escapes; in plain formats the line ends of the file are mere spaces."""
    if format_ in ("moodle", "plain"):
        raw = re.sub(r"\s*\n\s*|[ \t]+", " ", raw)
    return _ESCAPE.sub(lambda found: "\n" if found.group(1) == "n" else found.group(1), raw.strip())
