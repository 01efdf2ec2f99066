"""Text of items: what authors type ⇄ what is stored (sanitised HTML with MathML).

Authors type plain text with LaTeX between `$…$` or `$$…$$`, `\\$` for a dollar sign, a new line for a new
paragraph and a little HTML. A `<` that opens no known tag is a less-than sign. Formulas keep their LaTeX as
an annotation, so that the text can be edited again.
"""

import html as entities
import re
import unicodedata
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser

import msgspec

from item_bank.errors import ContentInvalid
from item_bank.messages import message
from item_bank.model.formulas import TEX, to_mathml
from item_bank.model.markup import BLOCK_TAGS, KNOWN_TAGS, MEDIA_ADDRESS, removed, sanitise

MATH = re.compile(r"<math\b[^>]*>.*?</math>", re.DOTALL)

LONE_DOLLAR = message(
    r"this dollar sign opens no formula; write \$ for a dollar, and a space between a formula and a digit"
)

_ANNOTATION = re.compile(rf'<annotation encoding="{re.escape(TEX)}">(.*?)</annotation>', re.DOTALL)
_ATTRIBUTE = r"""\s+[a-zA-Z][a-zA-Z0-9:-]*\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>=`]+)"""
_SEGMENT = re.compile(
    rf"""
    (?P<literal>\\\$)
    |\$\$(?P<display>(?:[^$\\]|\\.)+)\$\$
    |\$(?P<inline>(?:[^$\\\n]|\\[^\n])+)\$(?!\d)
    |(?P<dollar>\$)
    |(?P<math><math\b[^>]*>.*?</math>)
    |(?P<comment><!--.*?-->)
    |(?P<tag><(?P<close>/?)(?P<name>[a-zA-Z][a-zA-Z0-9-]*)(?:{_ATTRIBUTE})*\s*/?>)
    |(?P<entity>&(?:\#[0-9]{{1,7}}|\#[xX][0-9a-fA-F]{{1,6}}|[A-Za-z][A-Za-z0-9]{{1,31}});)
    |(?P<newline>\n)
    |(?P<text>[^$\\<&\n]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_LOOKS_LIKE_TAG = re.compile(r"<(?:/?([a-zA-Z][a-zA-Z0-9-]*)|!)")
_LOOKS_LIKE_ENTITY = re.compile(r"&(?=#?[A-Za-z0-9]+;)")
_SOURCE = re.compile(r"""\ssrc\s*=\s*(?:"([^"]+)"|'([^']+)'|([^\s"'<>=`]+))""", re.IGNORECASE)
_LAST_FIGURE = re.compile(r'<figure><img src="([^"]*)" alt="([^"]*)"></figure>$')
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")
_SPACES = re.compile(r"[ \t\f\v]+")


class Rendered(msgspec.Struct, frozen=True):
    """Stored HTML, and what the sanitiser took out of the source to make it."""

    html: str
    removed: tuple[str, ...] = ()


def to_html(source: str, *, inline: bool = False, figures: Mapping[str, str] | None = None) -> Rendered:
    """Turn typed text into stored HTML; `inline` leaves a single paragraph without its `<p>`.

    `figures` gives the stored address of each file an `<img src="name">` may name; without it names stay as they are
    and are then taken out, because only stored figures may stand in items.

    Raises
    ------
    ContentInvalid
        A formula cannot be read, a dollar sign has no partner, a figure is not there: with line and column.
    """
    text = normalised(source)
    writer = _Paragraphs()
    for segment in _SEGMENT.finditer(text):
        _write_segment(writer, segment, text, figures)
    raw = writer.result(inline=inline)
    clean = sanitise(raw)
    return Rendered(clean, tuple(sorted({*removed(raw, clean), *writer.removed})))


def to_source(html: str) -> str:
    """Turn stored HTML back into what its author would type; `to_html` of it gives the same HTML."""
    writer = _Source()
    position = 0
    for found in MATH.finditer(html):
        writer.feed(html[position : found.start()])
        writer.write_math(found.group())
        position = found.end()
    writer.feed(html[position:])
    writer.close()
    return writer.result()


def tex_of(math: str) -> str | None:
    """Return the LaTeX a stored formula was written as, still as HTML text; `None` for MathML that came without."""
    found = _ANNOTATION.search(math)
    return None if found is None else found.group(1)


def figure_html(address: str, alt_text: str) -> str:
    """Return the block of a figure that stands below its text."""
    alt = entities.escape(normalised(alt_text), quote=True).replace("&#x27;", "'")
    html = f'<figure><img src="{address}" alt="{alt}"></figure>'
    return sanitise(html) if MEDIA_ADDRESS.fullmatch(address) else html


def split_figure(html: str) -> tuple[str, str, str]:
    """Split off a figure at the end: the text before it, its address and its description (both empty without one)."""
    found = _LAST_FIGURE.search(html)
    if found is None:
        return html, "", ""
    return html[: found.start()], found.group(1), entities.unescape(found.group(2))


def normalised(text: str) -> str:
    """Compose letters (NFC), unify line ends and drop control characters, which nobody types on purpose."""
    unified = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", unified)


def escaped(text: str) -> str:
    """Write plain text as HTML, exactly as the sanitiser would write it back."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\u00a0", "&nbsp;")


def _write_segment(writer: "_Paragraphs", segment: re.Match[str], text: str, figures: Mapping[str, str] | None) -> None:
    kind = segment.lastgroup or "text"
    if kind in ("display", "inline"):
        writer.write(_formula(segment, kind, text))
    elif kind == "dollar":
        reason = message(
            r"this dollar sign opens no formula; write \$ for a dollar, and a space between a formula and a digit"
        )
        raise ContentInvalid(reason, text, segment.start())
    elif kind == "newline":
        writer.new_line()
    elif kind == "comment":
        writer.removed.add("<!-- -->")
    elif kind == "math":
        writer.write(segment.group())
    elif segment["tag"] and segment["name"].lower() in KNOWN_TAGS:
        name = segment["name"].lower()
        tag = _with_stored_figure(segment, text, figures) if name == "img" else segment["tag"]
        writer.write_tag(tag, name, is_end=bool(segment["close"]))
    elif kind == "entity":
        writer.write(escaped(normalised(entities.unescape(segment.group()))))
    else:
        writer.write(escaped("$" if kind == "literal" else _SPACES.sub(" ", segment.group())))


def _with_stored_figure(segment: re.Match[str], text: str, figures: Mapping[str, str] | None) -> str:
    tag = segment["tag"]
    found = _SOURCE.search(tag)
    if figures is None or found is None:
        return tag
    name = entities.unescape(next(filter(None, found.groups())))
    if MEDIA_ADDRESS.fullmatch(name):
        return tag
    address = figures.get(name.rpartition("/")[2])
    if address is None:
        raise ContentInvalid(message("the figure {name} is not there", name=name[:80]), text, segment.start())
    return f'{tag[: found.start()]} src="{address}"{tag[found.end() :]}'


def _formula(segment: re.Match[str], kind: str, text: str) -> str:
    latex = segment[kind]
    start = segment.start(kind)
    for written, meant in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        latex = latex.replace(written, meant)
    try:
        return to_mathml(latex, display=kind == "display")
    except ContentInvalid as refusal:
        raise ContentInvalid(refusal.reason, text, start + refusal.offset) from refusal


class _Paragraphs:
    """Collects lines into paragraphs; block elements stand between them as they are."""

    def __init__(self) -> None:
        self.removed: set[str] = set()
        self._blocks: list[tuple[str, bool]] = []  # html, is a paragraph
        self._parts: list[str] = []
        self._depth = 0  # inside how many block elements

    def write(self, html: str) -> None:
        self._parts.append(html)

    def write_tag(self, tag: str, name: str, *, is_end: bool) -> None:
        if name not in BLOCK_TAGS:
            self._parts.append(tag)
            return
        if self._depth == 0:
            self._flush(is_paragraph=True)
        self._parts.append(tag)
        if name != "hr":
            self._depth = max(0, self._depth - 1) if is_end else self._depth + 1
        if self._depth == 0:
            self._flush(is_paragraph=False)

    def new_line(self) -> None:
        if self._depth:
            self._parts.append(" ")
        else:
            self._flush(is_paragraph=True)

    def result(self, *, inline: bool) -> str:
        self._flush(is_paragraph=self._depth == 0)
        if inline and len(self._blocks) == 1 and self._blocks[0][1]:
            return self._blocks[0][0]
        return "".join(f"<p>{html}</p>" if is_paragraph else html for html, is_paragraph in self._blocks)

    def _flush(self, *, is_paragraph: bool) -> None:
        html = "".join(self._parts).strip(" \t")
        self._parts.clear()
        if html:
            self._blocks.append((html, is_paragraph))


class _Source(HTMLParser):
    """Writes stored HTML as typed text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._parts: list[str] = []
        self._open_blocks: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_plain_paragraph = tag == "p" and not attrs and not self._open_blocks
        if tag in BLOCK_TAGS and not self._open_blocks:
            self._break_line()
        if tag in BLOCK_TAGS and tag != "hr" and not is_plain_paragraph:
            self._open_blocks.append(tag)
        if not is_plain_paragraph:
            self._parts.append(f"<{tag}{''.join(_attributes(attrs))}>")
        if tag == "hr" and not self._open_blocks:
            self._break_line()

    def handle_endtag(self, tag: str) -> None:
        if tag == "p" and not self._open_blocks:
            self._break_line()
            return
        self._parts.append(f"</{tag}>")
        if self._open_blocks and self._open_blocks[-1] == tag:
            self._open_blocks.pop()
            if not self._open_blocks:
                self._break_line()

    def handle_data(self, data: str) -> None:
        self._parts.append(_typed(data))

    def write_math(self, html: str) -> None:
        super().close()  # what was fed so far is complete: hand it over
        self.reset_parser()
        tex = tex_of(html)
        if tex is None:
            self._parts.append(html)
            return
        latex = entities.unescape(tex)
        fence = "$$" if html.startswith('<math display="block"') else "$"
        before = self._parts[-1] if self._parts else ""
        if before.endswith("\\"):
            self._parts[-1] = before[:-1] + "&#92;"  # a backslash typed here would undo the dollar sign
        self._parts.append(f"{fence}{_safe_in_formula(latex)}{fence}")

    def reset_parser(self) -> None:
        """Be ready for the next stretch of HTML, keeping what was written."""
        super().reset()

    def result(self) -> str:
        self._break_line()
        return "\n".join(self._lines)

    def _break_line(self) -> None:
        line = "".join(self._parts)
        self._parts.clear()
        if line.strip(" \t"):
            self._lines.append(line)


def _attributes(attrs: list[tuple[str, str | None]]) -> Iterator[str]:
    for name, value in attrs:
        yield f' {name}="{entities.escape(value or "", quote=False).replace(chr(34), "&quot;")}"'


def _typed(text: str) -> str:
    text = _LOOKS_LIKE_ENTITY.sub("&amp;", text)
    text = _LOOKS_LIKE_TAG.sub(_typed_less_than, text)
    return text.replace("\\$", "&#92;$").replace("$", "\\$").replace("\n", " ")


def _typed_less_than(found: re.Match[str]) -> str:
    name = found.group(1)
    is_mark = name is None or name.lower() in KNOWN_TAGS
    return "&lt;" + found.group()[1:] if is_mark else found.group()


def _safe_in_formula(latex: str) -> str:
    return latex.replace("&lt;", "&amp;lt;").replace("&gt;", "&amp;gt;")
