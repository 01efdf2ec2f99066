"""Safe markup: text is escaped unless it is markup already, so that no item name can become a tag."""

from html import escape


class Markup(str):
    """A piece of finished HTML."""

    __slots__ = ()


def tag(name: str, *children: str, **attributes: str) -> Markup:
    """Write an element; `class_` and `for_` lose the underscore, other underscores become hyphens, "" leaves it out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items() if value
    )
    inner = "".join(child if isinstance(child, Markup) else escape(child, quote=False) for child in children)
    return Markup(f"<{name}{written}>{inner}</{name}>")


def joined(*parts: str) -> Markup:
    """Put pieces after each other."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part, quote=False) for part in parts))
