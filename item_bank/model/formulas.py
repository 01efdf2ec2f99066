"""LaTeX → MathML that old and new browsers and the PDF painter draw alike.

latex2mathml does the grammar; this module mends what it gets wrong for MathML Core: wide hats and bars,
operators written as identifiers, decimal commas, degrees, function spacing, limits, letters in bold or script.
"""

import html
import unicodedata
from functools import lru_cache
from xml.etree.ElementTree import Element, SubElement, tostring

from item_bank.errors import ContentInvalid
from item_bank.messages import message
from item_bank.model import latex as source_rules
from item_bank.model.letters import styled

TEX = "application/x-tex"

_ARITY = {"mfrac": 2, "msup": 2, "msub": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3, "mroot": 2}
_WIDE = {"^": "\u0302", "~": "\u02dc", "\u00af": "\u203e", "\u2015": "\u203e", "\u23dc": "\u23dc", "\u2322": "\u23dc"}
_NARROW = {"^": "\u02c6", "~": "\u02dc"}
_IDENTIFIERS = frozenset("∞∅∇∂%&#°…′″‴△□◇ℵ∠")
_PUNCTUATION = frozenset(";:~")
_LIMIT_TEXTS = frozenset({"lim", "max", "min", "sup", "inf"})
_LARGE = frozenset("∑∏∐⋃⋂")
_OPENERS = frozenset("([{|,;:=<>≤≥⩽⩾≠±∓+−×·/⇒⇔→∈∣")
_SIGNS = frozenset("+−±∓")
_PRIMES = frozenset("′″‴")
_PAIRED = frozenset("()[]{}|‖")


@lru_cache(maxsize=32768)
def to_mathml(latex: str, *, display: bool = False) -> str:
    r"""Convert one formula (without its dollar signs) to a `<math>` element that keeps its LaTeX.

    Raises
    ------
    ContentInvalid
        With the offset inside `latex`: an open brace, an unknown command, a missing argument.
    """
    source_rules.check(latex)
    root = _converted(latex, display)
    _check_tree(root, latex)
    row = root[0]
    _mend(row)
    row = _unwrapped(row)
    math = Element("math", {"display": "block"} if display else {})
    semantics = SubElement(math, "semantics")
    semantics.append(row)
    SubElement(semantics, "annotation", encoding=TEX).text = latex.strip()
    return tostring(math, encoding="unicode", method="html")


def _converted(latex: str, display: bool) -> Element:
    # Imported here: delivery and results load this module and never convert.
    from latex2mathml.converter import convert_to_element
    from latex2mathml.exceptions import DoubleSubscriptsError, DoubleSuperscriptsError

    try:
        root: Element = convert_to_element(source_rules.plain(latex), display="block" if display else "inline")
    except (DoubleSubscriptsError, DoubleSuperscriptsError) as error:
        raise ContentInvalid(message("two indices follow each other: put the inner one in braces"), latex, 0) from error
    except Exception as error:
        raise ContentInvalid(message("the formula cannot be read: a part is missing"), latex, 0) from error
    return root


def _check_tree(root: Element, latex: str) -> None:
    for element in root.iter():
        text = element.text or ""
        if element.tag in ("mi", "mo", "mn", "mtext") and text.startswith("\\"):
            offset = source_rules.offset_of_command(latex, text)
            raise ContentInvalid(message("the command {name} is not known", name=text), latex, offset)
        wanted = _ARITY.get(element.tag)
        if wanted is not None and len(element) != wanted:
            raise ContentInvalid(message("a fraction, root, index or accent lacks a part"), latex, 0)


def _mend(element: Element) -> None:
    for child in element:
        _mend(child)
    if len(element) and element.tag == "mo":  # \mathop: an operator may hold no elements
        element.tag = "mrow"
        element.attrib.clear()
    elif element.tag == "mpadded" and element.get("width", "").startswith("+"):
        _mend_arrow_label(element)
    if element.tag in _ARITY:
        element[:] = [_unwrapped(child) for child in element]
    if element.text and element.tag in ("mi", "mo", "mn", "mtext"):
        _mend_token(element)
    elif element.tag in ("mover", "munder"):
        _mend_accent(element)
    if element.tag in ("msub", "msup", "msubsup"):
        _mend_scripts(element)
    if element.tag in ("mrow", "mtd", "mstyle", "msqrt", "mpadded", "mphantom"):
        _mend_row(element)


def _mend_token(element: Element) -> None:
    raw = element.text or ""
    text = html.unescape(raw)
    element.text = text
    if element.tag == "mtext":
        element.attrib.pop("mathvariant", None)
        return
    variant = element.attrib.get("mathvariant")
    if element.tag == "mi" and variant is None and raw.startswith("&#x") and text.isascii() and text.isalpha():
        element.set("mathvariant", "normal")  # the converter forgets this for a single letter in \mathrm
    elif variant is not None and variant != "normal":
        del element.attrib["mathvariant"]
        element.text = styled(text, variant)
    if element.tag == "mi" and len(text) == 1 and _is_operator(text):
        element.tag = "mo"
    elif element.tag == "mo" and text in _IDENTIFIERS:
        element.tag = "mi"
        element.attrib.clear()
    if element.tag == "mo":
        if text == "~":
            element.text = "∼"
        elif text == ":":
            element.attrib.update({"lspace": "0.2222em", "rspace": "0.2222em"})
        elif text.isalpha() and len(text) > 1:
            element.attrib.update({"lspace": "0", "rspace": "0.1667em"})


def _is_operator(character: str) -> bool:
    if character in _IDENTIFIERS:
        return False
    return character in _PUNCTUATION or unicodedata.category(character) in ("Sm", "Ps", "Pe")


def _mend_accent(element: Element) -> None:
    base, accent = element
    # The mark's own repair has run already, so that a tilde reads "∼" by now.
    text = {"∼": "~"}.get(accent.text or "", accent.text or "") if accent.tag in ("mo", "mi") else ""
    if element.tag == "munder":
        if text == "\u2015":
            _replace_accent(element, "_", stretchy=True, attribute="accentunder")
        return
    if text == "→":
        _replace_accent(element, "→", stretchy=True, attribute=None)
    elif text in _NARROW and (element.get("accent") == "true" or accent.get("stretchy") == "false"):
        _replace_accent(element, _NARROW[text], stretchy=False, attribute="accent")
    elif text in _WIDE and not _is_limit(base):
        _replace_accent(element, _WIDE[text], stretchy=True, attribute="accent")


def _is_limit(base: Element) -> bool:
    return (base.text or "") in _LIMIT_TEXTS or (base.text or "") in _LARGE


def _replace_accent(element: Element, text: str, *, stretchy: bool, attribute: str | None) -> None:
    element.attrib.clear()
    if attribute:
        element.set(attribute, "true")
    element.remove(element[1])
    SubElement(element, "mo", stretchy="true" if stretchy else "false").text = text


def _mend_arrow_label(element: Element) -> None:
    """Relative widths are not in MathML Core: room beside the label does the same."""
    element.tag = "mrow"
    element.attrib.clear()
    label = [child for child in element if child.tag != "mspace"]
    element[:] = [Element("mspace", width="0.4em"), *label, Element("mspace", width="0.4em")]


def _mend_scripts(element: Element) -> None:
    base = element[0]
    text = base.text or ""
    if base.tag == "mo" and (text in _LIMIT_TEXTS or text in _LARGE):
        element.tag = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}[element.tag]
        base.set("movablelimits", "true")
    elif element.tag == "msup" and (element[1].text or "") in _PRIMES:
        # The glyph is raised and small by itself; as an exponent it would be too small to see.
        element.tag = "mrow"
        prime = Element("mo", lspace="0", rspace="0")
        prime.text = element[1].text
        element[1] = prime
    elif element.tag == "msup" and element[1].tag == "mo" and element[1].text == "∘":
        element.tag = "mrow"
        degree = Element("mi", mathvariant="normal")
        degree.text = "°"
        element[:] = [base, degree] if len(base) or base.text else [degree]


def _mend_row(row: Element) -> None:
    children = [_unwrapped(c) for c in _joined_numbers(list(row)) if not _is_hollow(c)]
    for index, child in enumerate(children):
        before = children[index - 1] if index else None
        after = children[index + 1] if index + 1 < len(children) else None
        if child.tag == "mo" and child.text in _SIGNS and _opens(before):
            child.set("form", "prefix")
        elif child.tag == "mtable":
            _stretch(before, "prefix")
            _stretch(after, "postfix")
    row[:] = _spaced_functions(children)


def _is_hollow(element: Element) -> bool:
    """An empty group or an empty fence: it draws nothing."""
    return element.tag in ("mrow", "mo", "mi") and len(element) == 0 and not element.text


def _unwrapped(element: Element) -> Element:
    while element.tag in ("mrow", "mstyle") and len(element) == 1:
        if element.tag == "mstyle" and element[0].tag != "mo":
            break
        element = element[0]
    return element


def _opens(before: Element | None) -> bool:
    return before is None or (
        before.tag == "mo" and (before.text or "") in _OPENERS and before.get("form") != "postfix"
    )


def _stretch(fence: Element | None, form: str) -> None:
    if fence is not None and fence.tag == "mo" and fence.text in _PAIRED:
        fence.attrib.update({"stretchy": "true", "fence": "true", "form": form})


def _joined_numbers(children: list[Element]) -> list[Element]:
    """`0{,}5` is one number, `0{,}5^2` its square; a comma without braces separates numbers and stays."""
    joined: list[Element] = []
    for child in children:
        number = child[0] if child.tag in ("msup", "msub", "msubsup") and len(child) else child
        if number.tag == "mn" and len(joined) >= 2 and _is_decimal_comma(joined[-1]) and joined[-2].tag == "mn":
            joined.pop()
            number.text = f"{joined.pop().text},{number.text}"
        joined.append(child)
    return joined


def _is_decimal_comma(element: Element) -> bool:
    return element.tag == "mrow" and len(element) == 1 and element[0].tag == "mo" and element[0].text == ","


def _spaced_functions(children: list[Element]) -> list[Element]:
    """Thin space round ln, sin, …: `2 ln x`, but `ln(x)`."""
    spaced: list[Element] = []
    for index, child in enumerate(children):
        name = child[0] if child.tag in ("msub", "msup", "msubsup") else child
        is_function = name.tag == "mi" and len(name.text or "") > 1 and (name.text or "").isalpha()
        if is_function and spaced and spaced[-1].tag not in ("mo", "mspace"):
            spaced.append(Element("mspace", width="0.1667em"))
        spaced.append(child)
        after = children[index + 1] if index + 1 < len(children) else None
        if is_function and after is not None and after.tag not in ("mo", "mspace"):
            spaced.append(Element("mspace", width="0.1667em"))
    return spaced
