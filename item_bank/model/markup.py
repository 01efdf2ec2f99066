"""Which HTML and MathML may stand in items: the sanitiser, and what it took away.

Nothing that runs, styles or fetches from elsewhere: no script, style, event handler, link or foreign image.
"""

import re
from collections import Counter
from html.parser import HTMLParser

import nh3

TEXT_TAGS = frozenset(
    {
        "p", "br", "b", "strong", "i", "em", "u", "s", "sub", "sup", "small", "span", "code", "pre", "hr",
        "ul", "ol", "li", "blockquote", "figure", "figcaption", "img",
        "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td",
    }
)  # fmt: skip
MATH_TAGS = frozenset(
    {
        "math", "semantics", "annotation", "mrow", "mi", "mo", "mn", "mtext", "ms", "mspace", "mfrac", "msqrt", "mroot",
        "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts", "none",
        "mtable", "mtr", "mtd", "mstyle", "mpadded", "mphantom", "merror",
    }
)  # fmt: skip
ALLOWED_TAGS = TEXT_TAGS | MATH_TAGS
BLOCK_TAGS = frozenset(
    {"p", "hr", "ul", "ol", "li", "blockquote", "figure", "figcaption", "pre",
     "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}
)  # fmt: skip
REFUSED_TAGS = frozenset(
    {
        "script", "style", "iframe", "object", "embed", "applet", "form", "input", "button", "select", "option",
        "textarea", "link", "meta", "base", "svg", "foreignobject", "video", "audio", "source", "track", "canvas",
        "template", "slot", "a", "div", "font", "center", "marquee", "h1", "h2", "h3", "h4", "h5", "h6", "section",
        "article", "header", "footer", "main", "nav", "aside", "label", "fieldset", "legend", "html", "head", "body",
        "title", "noscript", "annotation-xml", "maction", "mglyph", "menclose", "frame", "frameset", "del", "ins",
        "mark", "strike", "tt", "big", "dl", "dt", "dd", "colgroup", "col", "abbr", "cite", "q", "kbd", "samp", "var",
        "time", "picture", "map", "area",
    }
)  # fmt: skip
"""Known to browsers and not kept: seen as tags, taken out by the sanitiser and reported."""

KNOWN_TAGS = ALLOWED_TAGS | REFUSED_TAGS

_ATTRIBUTES = {
    "*": {"lang"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start", "type"},
    "math": {"display"},
    "annotation": {"encoding"},
    "mi": {"mathvariant"},
    "mo": {
        "stretchy", "fence", "separator", "form", "lspace", "rspace", "largeop", "movablelimits", "minsize", "maxsize",
        "symmetric", "accent",
    },
    "mfrac": {"linethickness", "displaystyle"},
    "mover": {"accent"},
    "munder": {"accentunder"},
    "munderover": {"accent", "accentunder"},
    "mtable": {"displaystyle", "columnspacing", "rowspacing", "columnlines", "rowlines"},
    "mtd": {"columnalign", "columnspan", "rowspan"},
    "mstyle": {"displaystyle", "scriptlevel"},
    "mspace": {"width", "height", "depth"},
    "mpadded": {"width", "height", "depth", "lspace", "voffset"},
}  # fmt: skip

MEDIA_ADDRESS = re.compile(r"/media/[0-9a-f]{64}\.(?:svg|png|jpg)")

_SCRIPT_LIKE = {"script", "style", "template", "iframe", "object", "noscript", "title", "textarea"}
_SOURCELESS = re.compile(r"<img(?![^>]*\ssrc=)[^>]*>")


def _keep_attribute(tag: str, name: str, value: str) -> str | None:
    if tag == "img" and name == "src":
        return value if MEDIA_ADDRESS.fullmatch(value) else None
    if tag == "math" and name == "display":
        return value if value in ("block", "inline") else None
    return value


_CLEANER = nh3.Cleaner(
    tags=set(ALLOWED_TAGS),
    clean_content_tags=_SCRIPT_LIKE,
    attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
    attribute_filter=_keep_attribute,
    strip_comments=True,
    link_rel=None,
)


def sanitise(html: str) -> str:
    """Return the HTML without anything that is not allowed in an item."""
    if "<" not in html:
        return html
    return _SOURCELESS.sub("", _CLEANER.clean(html))


def removed(before: str, after: str) -> tuple[str, ...]:
    """Name what the sanitiser took away, as `<script>` or `img[onclick]`, each once."""
    if before == after:
        return ()
    lost = _parts(before) - _parts(after)
    return tuple(sorted(lost))


def _parts(html: str) -> Counter[str]:
    scan = _Scan()
    scan.feed(html)
    scan.close()
    return scan.parts


class _Scan(HTMLParser):
    """Counts start tags and attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Browsers add these two themselves, and comments carry nothing a candidate would see.
        if tag not in ("tbody", "thead"):
            self.parts[f"<{tag}>"] += 1
        self.parts.update(f"{tag}[{name}]" for name, _ in attrs)
