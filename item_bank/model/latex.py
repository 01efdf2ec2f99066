"""LaTeX as authors type it: what is allowed, checked with a position, and made plain for the converter.

The converter (latex2mathml) forgives too much: a lost brace, an unknown command or a `%` would change
a formula in silence, so everything it forgives is refused here first.
"""

import re

from item_bank.errors import ContentInvalid
from item_bank.messages import Message, message

ENVIRONMENTS = frozenset(
    {
        "matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix",
        "array", "cases", "dcases", "split", "aligned", "align", "align*", "gathered",
    }
)  # fmt: skip

SAME_ENVIRONMENT = {
    "aligned": "split",
    "align": "split",
    "align*": "split",
    "dcases": "cases",
    "gathered": "displaylines",
}

REFUSED = frozenset(
    {
        "newcommand", "renewcommand", "def", "newenvironment", "DeclareMathOperator", "input", "include",
        "href", "class", "style", "color", "textcolor", "colorbox", "fcolorbox", "verb", "unicode", "tag",
        "boxed", "fbox", "cancel", "bcancel", "xcancel", "sout", "ce", "mathchoice", "sideset", "LaTeX", "TeX",
        "notag", "nonumber",
    }
)  # fmt: skip

TEACHERS_MACROS = {"heva": r"\{", "hoac": "["}  # system and alternative of the Vietnamese ex_test package

_SIGN = re.compile(r"\\[a-zA-Z]+\*?|\\.|[{}%&]", re.DOTALL)
_NAME = re.compile(r"\s*\{\s*([a-zA-Z]+\*?)\s*\}")
_OPENING = re.compile(r"\s*\{")
_PLAIN_GROUP = re.compile(r"\s*\{[^{}]*\}")
_ESCAPES = frozenset(",;:!> |_%#$&{}\\")
_TEXT_COMMANDS = frozenset({"text", "textbf", "textit", "textrm", "textnormal", "textup", "mbox", "hbox", "emph"})
_KEPT_OR_NUMBER = re.compile(
    r"""
    (?P<kept>\\(?:text[a-z]*|mbox|hbox|emph)\s*\{[^}]*\}
        |\\(?:hspace|hskip|kern|mkern|mskip|mspace|rule|raise|lower)\s*(?:\{[^}]*\}|-?[\d.]+\s*[a-z]{2}))
    |(?P<pair>\\\{\s*\d+,\d+\s*\\\}|_\{\s*\d+,\d+\s*\})
    |(?<![\d,])(?P<whole>\d+),(?P<decimals>\d+)(?!\d|,\d)
    |(?P<digit>\d)(?=\s*(?:in|mm|cm|pt|em|ex|pc|bp|dd|cc|sp|mu))
    """,
    re.VERBOSE,
)


def check(latex: str) -> None:
    """Refuse what would be lost or changed in silence.

    Raises
    ------
    ContentInvalid
        With the offset inside `latex`.
    """
    if not latex.strip():
        raise ContentInvalid(message("the formula is empty"), latex, 0)
    groups = _Groups(latex)
    for found in _SIGN.finditer(latex):
        groups.take(found.group(), found.start())
    groups.require_closed()


def plain(latex: str) -> str:
    """Rewrite checked LaTeX into the part the converter understands: the annotation keeps the author's text."""
    for macro, fence in TEACHERS_MACROS.items():
        latex = _expand(latex, macro, fence)
    latex = re.sub(
        r"\\(begin|end)\s*\{\s*([a-zA-Z]+\*?)\s*\}",
        lambda m: rf"\{m[1]}{{{SAME_ENVIRONMENT.get(m[2], m[2])}}}",
        latex,
    )
    return _KEPT_OR_NUMBER.sub(_plain_number, latex)


def offset_of_command(latex: str, command: str) -> int:
    """Where a command (`\\foo`) stands first; 0 when it came from a rewriting."""
    found = re.search(re.escape(command) + r"(?![a-zA-Z])", latex)
    return found.start() if found else 0


class _Groups:
    """What stands open while a formula is read: braces, \\left, environments and the teachers' macros."""

    def __init__(self, latex: str) -> None:
        self.latex = latex
        self.open: list[tuple[str, int]] = []

    def take(self, sign: str, offset: int) -> None:
        if sign == "{":
            if self.open and self.open[-1][0] == "macro?":
                self.open[-1] = ("macro", offset)
            else:
                self.open.append((sign, offset))
        elif sign == "}":
            self._close(("{", "macro"), sign, offset)
        elif sign in ("%", "&", r"\\"):
            self._take_separator(sign, offset)
        elif sign[1:].rstrip("*").isalpha():
            self._take_command(sign, offset)
        elif sign[1:] not in _ESCAPES:
            raise self._refusal(message("the command {name} is not known", name=sign), offset)

    def require_closed(self) -> None:
        if self.open:
            kind, offset = self.open[-1]
            shown = "{" if kind.startswith("macro") else kind.replace("begin:", r"\begin ")
            raise self._refusal(message("{sign} is never closed", sign=shown), offset)

    def _take_separator(self, sign: str, offset: int) -> None:
        if sign == "%":
            raise self._refusal(message(r"write \% for a per cent sign in a formula"), offset)
        if not any(kind.startswith("begin:") or kind == "macro" for kind, _ in self.open):
            reason = message(r"{sign} is possible inside cases, aligned, array or a matrix only", sign=sign)
            raise self._refusal(reason, offset)

    def _take_command(self, sign: str, offset: int) -> None:
        name, after = sign[1:], offset + len(sign)
        if name == "left":
            self.open.append((sign, offset))
        elif name == "right":
            self._close((r"\left",), sign, offset)
        elif name in ("begin", "end"):
            self._take_environment(name, offset, after)
        elif name.rstrip("*") in REFUSED:
            raise self._refusal(message("the command {name} cannot be used in items", name=sign), offset)
        elif name in _TEXT_COMMANDS:
            if not _PLAIN_GROUP.match(self.latex, after):
                raise self._refusal(message("{name} needs plain text in braces", name=sign), offset)
        elif name in TEACHERS_MACROS:
            if not _OPENING.match(self.latex, after):
                raise self._refusal(message("{name} needs its lines in braces", name=sign), offset)
            self.open.append(("macro?", offset))  # becomes "macro" at its brace, which comes next

    def _take_environment(self, side: str, offset: int, after: int) -> None:
        named = _NAME.match(self.latex, after)
        name = named.group(1) if named else ""
        if name not in ENVIRONMENTS:
            raise self._refusal(message("the environment “{name}” is not known", name=name), offset)
        if side == "begin":
            self.open.append((f"begin:{name}", offset))
        else:
            self._close((f"begin:{name}",), rf"\end{{{name}}}", offset)

    def _close(self, kinds: tuple[str, ...], sign: str, offset: int) -> None:
        if not self.open or self.open[-1][0] not in kinds:
            raise self._refusal(message("{sign} closes nothing here", sign=sign), offset)
        self.open.pop()

    def _refusal(self, reason: Message, offset: int) -> ContentInvalid:
        return ContentInvalid(reason, self.latex, offset)


def _expand(latex: str, macro: str, fence: str) -> str:
    opening = re.compile(rf"\\{macro}\s*\{{")
    while found := opening.search(latex):
        end = _closing_brace(latex, found.end())
        body = latex[found.end() : end]
        system = rf"\left{fence}\begin{{aligned}}{body}\end{{aligned}}\right."
        latex = latex[: found.start()] + system + latex[end + 1 :]
    return latex


def _closing_brace(latex: str, start: int) -> int:
    depth = 1
    for sign in _SIGN.finditer(latex, start):
        depth += {"{": 1, "}": -1}.get(sign.group(), 0)
        if depth == 0:
            return sign.start()
    return len(latex)


def _plain_number(found: re.Match[str]) -> str:
    if found["kept"] or found["pair"]:
        return found.group()
    if found["whole"]:
        return f"{found['whole']}{{,}}{found['decimals']}"
    return found["digit"] + "{}"
