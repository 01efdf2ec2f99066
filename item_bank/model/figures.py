"""Figures of items: SVG made harmless, PNG and JPEG checked, each named by the hash of its bytes.

Pure: bytes in, bytes out. What was taken out of an SVG is named, so that an importer can tell it.
"""

import hashlib
import io
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from item_bank.errors import FigureRefused
from item_bank.messages import message

if TYPE_CHECKING:
    from lxml import etree

MAXIMUM_BYTES = 2_000_000
MAXIMUM_PIXELS = 16_000_000
SVG_NAMESPACE = "http://www.w3.org/2000/svg"
XLINK = "{http://www.w3.org/1999/xlink}href"

SUFFIXES: Mapping[str, str] = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg"}

_ELEMENT_NAMES = """
    svg g defs symbol use title desc path rect circle ellipse line polyline polygon text tspan textPath marker
    linearGradient radialGradient stop clipPath mask pattern switch metadata
"""
_ATTRIBUTE_NAMES = """
    id class x y x1 y1 x2 y2 cx cy r rx ry fx fy width height d points transform viewBox preserveAspectRatio version
    fill fill-opacity fill-rule stroke stroke-width stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin
    stroke-miterlimit stroke-opacity opacity color display visibility overflow clip-path clip-rule mask
    marker-start marker-mid marker-end markerWidth markerHeight markerUnits refX refY orient
    gradientUnits gradientTransform spreadMethod offset stop-color stop-opacity clipPathUnits maskUnits
    patternUnits patternContentUnits patternTransform vector-effect paint-order shape-rendering
    font-family font-size font-style font-weight font-variant letter-spacing word-spacing text-anchor text-decoration
    dominant-baseline alignment-baseline baseline-shift dx dy rotate textLength lengthAdjust startOffset
    role aria-label aria-labelledby aria-describedby aria-hidden lang
"""
_ELEMENTS = frozenset(_ELEMENT_NAMES.split())
_ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())
_DRAWN = frozenset({"image", "a", "foreignObject", "style", "filter", "animate", "animateTransform", "set"})
"""Left out they would change the picture, so a figure with them is refused instead."""

_PARSER = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
}


class Figure(msgspec.Struct, frozen=True):
    """A figure as it is stored and served."""

    sha256: str
    media_type: str
    content: bytes
    file_name: str
    removed: tuple[str, ...] = ()  # what an SVG lost: "script", "onclick", …

    @property
    def address(self) -> str:
        """Where it is served."""
        return f"/media/{self.sha256}.{SUFFIXES[self.media_type]}"


def read_figure(content: bytes, file_name: str) -> Figure:
    """Check a figure file and return it as it may be stored; the same bytes always give the same figure.

    Raises
    ------
    FigureRefused
        Too large, not SVG, PNG or JPEG, broken, or with more pixels than a page needs.
    """
    if len(content) > MAXIMUM_BYTES:
        raise FigureRefused(file_name, message("the figure is larger than {limit} kB", limit=MAXIMUM_BYTES // 1000))
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _figure(_clean_bitmap(content, file_name, "PNG"), "image/png", file_name)
    if content.startswith(b"\xff\xd8\xff"):
        return _figure(_clean_bitmap(content, file_name, "JPEG"), "image/jpeg", file_name)
    clean, removed = _clean_svg(content, file_name)
    return _figure(clean, "image/svg+xml", file_name, removed)


def _figure(content: bytes, media_type: str, file_name: str, removed: tuple[str, ...] = ()) -> Figure:
    return Figure(hashlib.sha256(content).hexdigest(), media_type, content, file_name, removed)


def _clean_bitmap(content: bytes, file_name: str, wanted: str) -> bytes:
    # Imported here, as lxml below: most processes never see a new figure, and both are slow to load.
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=[wanted]) as picture:
                if picture.width * picture.height > MAXIMUM_PIXELS:
                    raise FigureRefused(file_name, message("the figure has more than {limit} million pixels", limit=16))
                picture.load()
                if "exif" not in picture.info:
                    return content
                # A camera's notes say where and when a picture was taken; nobody needs to know that in an exam.
                upright = ImageOps.exif_transpose(picture)
                upright.info.pop("exif", None)
                out = io.BytesIO()
                upright.save(out, format=wanted, quality=92)
                return out.getvalue()
    except FigureRefused:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombWarning) as error:
        raise FigureRefused(file_name, message("the figure cannot be read: the file is damaged")) from error


def _clean_svg(content: bytes, file_name: str) -> tuple[bytes, tuple[str, ...]]:
    from lxml import etree

    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise FigureRefused(file_name, message("the SVG has a document type, which is not accepted"))
    try:
        root = etree.fromstring(content, etree.XMLParser(**_PARSER))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise FigureRefused(file_name, message("the figure is not SVG, PNG or JPEG")) from error
    if root.tag != f"{{{SVG_NAMESPACE}}}svg":
        raise FigureRefused(file_name, message("the figure is not SVG, PNG or JPEG"))
    removed: set[str] = set()
    for element in list(root.iter()):
        removed.update(_clean_element(element))
    drawn = sorted(removed & _DRAWN)
    if drawn:
        raise FigureRefused(file_name, message("the SVG draws with <{name}>, which cannot be kept", name=drawn[0]))
    etree.cleanup_namespaces(root, top_nsmap={None: SVG_NAMESPACE})
    return etree.tostring(root, encoding="utf-8"), tuple(sorted(removed))


def _clean_element(element: "etree._Element") -> Iterator[str]:
    from lxml import etree

    if not isinstance(element.tag, str):  # a processing instruction
        _drop(element)
        return
    name = etree.QName(element)
    if name.namespace != SVG_NAMESPACE or name.localname not in _ELEMENTS:
        yield name.localname
        _drop(element)
        return
    for attribute, value in list(element.attrib.items()):
        local = etree.QName(attribute).localname
        if local == "style":
            del element.attrib[attribute]
            yield from _style_as_attributes(element, value)
        elif local == "href" and attribute in ("href", XLINK) and value.startswith("#"):
            continue
        elif local == "space" or local.startswith("data-"):
            del element.attrib[attribute]
        elif "{" in attribute or local not in _ATTRIBUTES or not _is_harmless(value):
            del element.attrib[attribute]
            yield local


def _style_as_attributes(element: "etree._Element", style: str) -> Iterator[str]:
    """Inline style is not allowed by the pages' policy; the same words as attributes draw the same."""
    for declaration in style.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if not name:
            continue
        if name in _ATTRIBUTES and _is_harmless(value):
            element.set(name, value)
        else:
            yield f"style:{name}"


def _is_harmless(value: str) -> bool:
    text = "".join(value.split()).casefold()
    return "url(" not in text.replace("url(#", "") and "javascript:" not in text and "expression(" not in text


def _drop(element: "etree._Element") -> None:
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + element.tail
        else:
            before.tail = (before.tail or "") + element.tail
    parent.remove(element)
