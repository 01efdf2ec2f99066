"""Texts typed in the fonts of before Unicode (TCVN3, VNI): recognised and shown, never converted in silence.

Such a text looks like "NguyÔn V¨n An" or "Nguyeãn Vaên An". We say what it would be, and leave the file to its owner.
"""

import re
import unicodedata

import msgspec

_TCVN3 = dict(
    zip(
        "¡¢£¤¥¦§¨©ª«¬\u00ad®µ¶·¸¹»¼½¾ÆÇÈÉÊËÌÎÏÐÑÒÓÔÕÖ×ØÜÝÞßáâãäåæçèéêëìíîïñòóôõö÷øùúûüýþ",
        "ĂÂÊÔƠƯĐăâêôơưđàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ",
        strict=True,
    )
)
_VNI_TONES = {"ù": "\u0301", "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ï": "\u0323"}
_VNI_MARKS = {
    **_VNI_TONES,
    "â": "\u0302",
    "á": "\u0302\u0301",
    "à": "\u0302\u0300",
    "å": "\u0302\u0309",
    "ã": "\u0302\u0303",
    "ä": "\u0302\u0323",
    "ê": "\u0306",
    "é": "\u0306\u0301",
    "è": "\u0306\u0300",
    "ú": "\u0306\u0309",
    "ü": "\u0306\u0303",
    "ë": "\u0306\u0323",
}
_VNI_LETTERS = {"ñ": "đ", "ö": "ư", "ô": "ơ", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ", "í": "í", "ì": "ì"}
_VNI_BASES = frozenset("aeouyöô")

_SYLLABLE = re.compile(
    "(?:ngh|ng|nh|gh|gi|kh|ch|ph|qu|th|tr|[bcdđghklmnprstvx])?"
    "(?:(?:oa|oă|uâ|iê|yê|uyê|uô|ươ|oe|uê|uyu|[aăâeêioôơuưy]|oo|uy)(?:ch|ng|nh|[cmnpt])"
    "|(?:ia|ya|ua|ưa|uya|oai|oay|uây|iêu|yêu|uôi|ươi|ươu|oao|oeo|uyu|uơ|uê|uy|oa|oe"
    "|ai|ay|ao|au|ây|âu|eo|êu|iu|oi|ôi|ơi|ui|ưi|ưu|[aeêioôơuưy]))"
)
_TONE = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_WORD = re.compile(r"[^\s\d.,;:()/'’\"-]+")


class LegacyText(msgspec.Struct, frozen=True):
    """A text that reads as Vietnamese only in a font of before Unicode."""

    encoding: str  # TCVN3 or VNI
    converted: str  # what it would be


def legacy_text(text: str) -> LegacyText | None:
    """Recognise a text typed in a legacy font; None where it reads as it stands.

    A word counts against the text only if it holds a letter outside ASCII and cannot be a Vietnamese syllable; a
    legacy font is named only if every such word becomes a syllable under it. So "René" or "Niê" raise no alarm.
    """
    doubtful = [w for w in _WORD.findall(unicodedata.normalize("NFC", text)) if not w.isascii() and not is_syllable(w)]
    if not doubtful:
        return None
    for encoding, convert in (("TCVN3", from_tcvn3), ("VNI", from_vni)):
        if all(is_syllable(convert(w)) for w in doubtful):
            return LegacyText(encoding, convert(unicodedata.normalize("NFC", text)))
    return None


def is_syllable(word: str) -> bool:
    """Say whether a word can be one Vietnamese syllable with at most one tone."""
    decomposed = unicodedata.normalize("NFD", word.lower())
    letters = unicodedata.normalize("NFC", _TONE.sub("", decomposed))
    return len(_TONE.findall(decomposed)) <= 1 and _SYLLABLE.fullmatch(letters) is not None


def from_tcvn3(text: str) -> str:
    """Read a text as TCVN3 (fonts .VnTime, .VnTimeH)."""
    return "".join(_TCVN3.get(c, c) for c in text)


def from_vni(text: str) -> str:
    """Read a text as VNI (fonts VNI-Times): a base letter followed by its mark."""
    read: list[str] = []
    typed = ""  # the character before, as it stands in the file: a letter already read takes no second mark
    for character in text:
        if typed and _vni_takes(typed, character.lower()):
            mark = _VNI_MARKS[character.lower()]
            read[-1] = unicodedata.normalize("NFC", read[-1] + mark)
            typed = ""
        else:
            read.append(_vni_letter(character))
            typed = character
    return "".join(read)


def _vni_takes(before: str, mark: str) -> bool:
    base = before.lower()
    if base not in _VNI_BASES or mark not in _VNI_MARKS:
        return False
    return mark in _VNI_TONES or base in ("a" if "\u0306" in _VNI_MARKS[mark] else "aeo")


def _vni_letter(character: str) -> str:
    letter = _VNI_LETTERS.get(character.lower())
    if letter is None:
        return character
    return letter.upper() if character.isupper() else letter
