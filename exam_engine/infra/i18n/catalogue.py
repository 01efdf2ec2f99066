"""Catalogues and translators. English is the id itself; every other language has a folder of .po files."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from io import BytesIO

from babel.messages.pofile import read_po

LANGUAGES = ("vi", "en")
DEFAULT_LANGUAGE = "vi"

Translator = Callable[..., str]
"""`_(message_id, **facts)` in one language; `_(one, many, count=n)` chooses the plural in English."""


def N_(message_id: str) -> str:  # noqa: N802 (the name every gettext extractor knows)
    """Mark a message id for extraction and return it unchanged."""
    return message_id


@cache
def translator(language: str) -> Translator:
    """Return the translator of a language; an unknown language answers in the default one."""
    catalogue = load_catalogue(language if language in LANGUAGES else DEFAULT_LANGUAGE)

    def translate(message_id: str, plural_id: str | None = None, /, **facts: object) -> str:
        text = catalogue.get(message_id)
        if text is None:
            is_many = plural_id is not None and facts.get("count") != 1
            text = plural_id if is_many and plural_id is not None else message_id
        return text.format(**facts) if facts else text

    return translate


@cache
def load_catalogue(language: str) -> Mapping[str, str]:
    """Merge the .po files of a language; English has none, since ids are English.

    Raises
    ------
    ValueError
        The same id stands in two files with two translations.
    """
    folder = resources.files(__package__) / language
    merged: dict[str, str] = {}
    if not folder.is_dir():
        return merged
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".po"):
            continue
        for message in read_po(BytesIO(entry.read_bytes()), locale=language):
            if not message.id or not message.string:
                continue
            message_id = message.id if isinstance(message.id, str) else message.id[0]
            text = message.string if isinstance(message.string, str) else message.string[0]
            if merged.setdefault(message_id, text) != text:
                raise ValueError(f"{entry.name}: {message_id!r} is already translated otherwise")
    return merged


def negotiate_language(accept_language: str, default: str = DEFAULT_LANGUAGE) -> str:
    """Choose the best language we speak from an `Accept-Language` header (RFC 9110, section 12.5.4)."""
    best, best_quality = default, 0.0
    for entry in accept_language.split(","):
        tag, _, parameter = entry.strip().partition(";")
        language = tag.split("-", 1)[0].lower()
        try:
            quality = float(parameter.strip().removeprefix("q=") or "1")
        except ValueError:
            continue
        if language in LANGUAGES and quality > best_quality:
            best, best_quality = language, quality
    return best
