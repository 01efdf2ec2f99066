"""Every text of the interface has its Vietnamese, in composed letters and with the same fields."""

import string
import unicodedata
from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract
from babel.messages.pofile import read_po

from exam_engine.infra.i18n.catalogue import load_catalogue
from tests.architecture.project import PACKAGES, PROJECT, files

MARKERS = {"_": None, "N_": None, "message": None, "translate": None, "gettext": None, "ngettext": (1, 2)}
CATALOGUES = PROJECT / "exam_engine" / "infra" / "i18n"


def messages_of(path: Path) -> list[tuple[str, str]]:
    method = "python" if path.suffix == ".py" else "jinja2.ext:babel_extract"
    options = {"extensions": "jinja2.ext.do", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    found = extract(method, BytesIO(path.read_bytes()), keywords=MARKERS, options=options)
    place = path.relative_to(PROJECT)
    return [(f"{place}:{line}", text if isinstance(text, str) else text[0]) for line, text, _, _ in found if text]


def all_messages() -> list[tuple[str, str]]:
    return [entry for path in files(".py", ".html", under=PACKAGES) for entry in messages_of(path) if entry[1]]


def fields_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_message_has_its_vietnamese() -> None:
    known = load_catalogue("vi")
    missing = [f"{place}: {text!r}" for place, text in all_messages() if text not in known]
    assert not missing, "without Vietnamese:\n" + "\n".join(missing)


def test_a_translation_fills_the_same_fields_as_its_message() -> None:
    wrong = [
        f"{message!r} / {text!r}"
        for message, text in load_catalogue("vi").items()
        if fields_of(message) != fields_of(text)
    ]
    assert wrong == []


def test_the_catalogues_are_in_composed_letters_and_hold_no_doubtful_entry() -> None:
    for path in sorted(CATALOGUES.glob("*/*.po")):
        text = path.read_text("utf-8")
        assert unicodedata.is_normalized("NFC", text), f"{path.name} is not in composed letters (NFC)"
        doubtful = [message.id for message in read_po(BytesIO(path.read_bytes())) if message.fuzzy and message.id]
        assert doubtful == [], f"{path.name} has entries marked fuzzy"


def test_the_extraction_finds_messages_at_all() -> None:
    assert len(all_messages()) > 100
