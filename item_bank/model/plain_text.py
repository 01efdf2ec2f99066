"""Stored HTML → plain text for search, lists and screen readers: formulas in one line, pictures by their alt text."""

import html as entities
import re
import unicodedata
from xml.etree.ElementTree import Element, ParseError, fromstring

from item_bank.model.content import MATH
from item_bank.model.markup import BLOCK_TAGS

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)([^>]*)>")
_ALT = re.compile(r'\salt="([^"]*)"')
_SPACES = re.compile(r"\s+")


def to_text(html: str) -> str:
    """Return the text of stored HTML in one line."""
    without_math = MATH.sub(lambda m: entities.escape(_linear_formula(m.group())), html)
    text = _TAG.sub(_spoken_tag, without_math)
    return _SPACES.sub(" ", entities.unescape(text)).strip()


def folded(text: str) -> str:
    """Fold for comparing words: lower case, without Vietnamese marks, đ as d."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", plain.replace("đ", "d"))


def _spoken_tag(found: re.Match[str]) -> str:
    tag = found.group(2).lower()
    if tag == "img":
        alt = _ALT.search(found.group(3))
        return f" {alt.group(1)} " if alt else " "
    return " " if tag in BLOCK_TAGS or tag == "br" else ""


def _linear_formula(math: str) -> str:
    try:
        return _line(fromstring(math.replace("&nbsp;", "\u00a0")))  # noqa: S314 (sanitised, no entities left)
    except (ParseError, RecursionError):
        return " "


def _line(element: Element) -> str:
    parts = [_line(child) for child in element if child.tag != "annotation"]
    match element.tag, parts:
        case "mfrac", [above, below]:
            return f"{_grouped(above)}/{_grouped(below)}"
        case "msqrt", _:
            return f"√{_grouped(''.join(parts))}"
        case "mroot", [base, degree]:
            return f"{degree}√{_grouped(base)}"
        case "msup", [base, exponent]:
            return base + exponent if exponent in ("′", "″", "‴") else f"{base}^{_grouped(exponent)}"
        case (("msub" | "munder"), [base, index]):
            return f"{base}_{_grouped(index)}"
        case (("msubsup" | "munderover"), [base, index, exponent]):
            return f"{base}_{_grouped(index)}^{_grouped(exponent)}"
        case "mover", [base, _]:
            return base
        case "mtr", _:
            return " ".join(filter(None, parts)) + "; "
        case "mspace", _:
            return " "
        case _:
            return (element.text or "") + "".join(parts)


def _grouped(text: str) -> str:
    return text if len(text) <= 1 or text.replace(",", "").isalnum() else f"({text})"
