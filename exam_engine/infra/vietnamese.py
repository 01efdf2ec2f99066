"""Vietnamese text: one normal form, the order of a class list, search with and without marks.

Order follows CLDR `vi`: a < ă < â, d < đ, e < ê, o < ô < ơ, u < ư are letters of their own; tones decide only between
equal letters. The database needs no collation for it: keys are plain ASCII, compared byte by byte.
"""

import re
import unicodedata
from functools import lru_cache

_LETTERS = {letter: chr(ord("A") + i) for i, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")}
_TONES = {"\u0300": "1", "\u0309": "2", "\u0303": "3", "\u0301": "4", "\u0323": "5"}
_QUALITIES = frozenset("\u0306\u0302\u031b")  # breve, circumflex, horn: they make letters, not tones
_PUNCTUATION = {" ": "!", "'": "'", "-": "-"}
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2019\u2018\u02bc\u02b9\u00b4\u0060\uff07", "'"))
_SPACES = re.compile(r"[\s\u00a0\u200b\u200c\u200d\ufeff]+")
# hoà and hòa, quý and qúy are one syllable in two spellings; only an open syllable has the choice.
_LATE_TONE = re.compile("([ou])([àáảãạèéẻẽẹỳýỷỹỵ])(?![^\\W\\d_])")
_OPEN_PAIRS = frozenset({"oa", "oe", "uy"})


def normalised(text: str) -> str:
    """Return the text in NFC with single spaces and nothing invisible at its ends."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()


def normalised_name(text: str) -> str:
    """Return a person's name as it is kept: NFC, single spaces, one kind of apostrophe; tone marks stay in place."""
    return normalised(text).translate(_APOSTROPHES)


def folded(text: str) -> str:
    """Return the text for search without marks: lower case, no marks, đ as d, no apostrophes."""
    decomposed = unicodedata.normalize("NFD", normalised_name(text).lower().replace("đ", "d"))
    return "".join(c for c in decomposed if not unicodedata.combining(c) and c != "'")


def marked(text: str) -> str:
    """Return the text for search with marks: lower case, and hoà written like hòa."""
    return _LATE_TONE.sub(_tone_forward, normalised_name(text).lower().replace("'", ""))


def has_marks(text: str) -> bool:
    """Say whether a query names marks, and so must match them exactly."""
    lowered = unicodedata.normalize("NFC", text).lower()
    return "đ" in lowered or unicodedata.normalize("NFD", lowered) != lowered


def sort_key(text: str) -> str:
    """Return a key whose plain order is the Vietnamese dictionary order of texts."""
    primary, secondary = [], []
    for character in normalised_name(text).lower():
        weight, tone = _weights(character)
        primary.append(weight)
        secondary.append(tone)
    return "".join(primary) + " " + "".join(secondary)


def name_sort_key(full_name: str, given_name: str | None = None) -> str:
    """Return the key of a class list: by given name first, then by the rest of the name.

    The given name is the last word unless the file has it in a column of its own, as names of several peoples need.
    """
    name = normalised_name(full_name)
    given = normalised_name(given_name) if given_name else name.rpartition(" ")[2]
    rest = name.removesuffix(given).strip() if name.endswith(given) else name.replace(given, "", 1).strip()
    return f"{sort_key(given)} {sort_key(rest)}"


def search_texts(name: str) -> tuple[str, str]:
    """Return what a search looks in: the name without marks and with marks.

    A name with an apostrophe stands in both ways people type it: H'Hen is found by "hhen" and by "hen".
    """
    apart = name.translate(_APOSTROPHES).replace("'", " ")
    names = dict.fromkeys((normalised(name), normalised(apart))) if "'" in normalised_name(name) else (name,)
    return " ".join(folded(n) for n in names), " ".join(marked(n) for n in names)


def matches(query: str, name: str) -> bool:
    """Say whether every word of the query begins a word of the name; words with marks compare with marks."""
    plain, exact = (f" {text}" for text in search_texts(name))
    return all(
        any(f" {word}" in (exact if with_marks else plain) for word in words)
        for words, with_marks in query_words(query)
    )


def query_words(query: str) -> list[tuple[tuple[str, ...], bool]]:
    """Split a query into words: for each the spellings that satisfy it, and whether they carry marks."""
    words = []
    for word in normalised_name(query).split():
        if has_marks(word):
            # The spelling as typed too: "hoà" may be the beginning of "hoàn".
            words.append((tuple(dict.fromkeys((marked(word), word.lower().replace("'", "")))), True))
        elif plain := folded(word):
            words.append(((plain,), False))
    return words


def _tone_forward(match: re.Match[str]) -> str:
    first, second = match.groups()
    decomposed = unicodedata.normalize("NFD", second)
    if first + decomposed[0] not in _OPEN_PAIRS:
        return match.group()
    return unicodedata.normalize("NFC", first + decomposed[1]) + decomposed[0]


@lru_cache(maxsize=4096)
def _weights(character: str) -> tuple[str, str]:
    if character in _PUNCTUATION:
        return _PUNCTUATION[character], "0"
    if character.isascii() and character.isdigit():
        return character, "0"
    decomposed = unicodedata.normalize("NFD", character)
    tone = next((_TONES[c] for c in decomposed[1:] if c in _TONES), "0")
    quality = "".join(c for c in decomposed[1:] if c in _QUALITIES)
    letter = unicodedata.normalize("NFC", decomposed[0] + quality)
    if letter in _LETTERS:
        foreign = any(c not in _TONES and c not in _QUALITIES for c in decomposed[1:])
        return _LETTERS[letter], "9" if foreign else tone
    # Letters outside the Vietnamese alphabet come after it, in the order of their code points.
    return f"~{ord(character):06x}", "0"
