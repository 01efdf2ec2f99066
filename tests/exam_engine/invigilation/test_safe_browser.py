"""Safe Exam Browser: the key of settings as its makers define it, and the comparison of what a seat shows."""

import plistlib
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from exam_engine.invigilation.safe_browser import config_key, is_our_page, is_right, make_settings, seb_json

BASE = "https://thi.example.vn"


def test_settings_are_written_as_the_browser_hashes_them() -> None:
    # The rules of "How the Config Key is generated": order without case, nothing escaped, no empty dictionaries.
    settings = {
        "originatorVersion": "SEB_OSX_2.1",
        "allowWlan": False,
        "allowedDisplaysMaxNumber": 1,
        "allowUserSwitching": True,
        "browserMessagingSocket": "ws:\\localhost:8706",
        "proxies": {"HTTPPort": 80, "ExceptionsList": [], "FTPPassive": True},
        "empty": {},
        "examKeySalt": b"\x00\xff",
        "mixed": [{"b": 1, "A": 'say "no"'}],
        "since": datetime(2027, 6, 10, 0, 30, tzinfo=UTC),
    }
    assert seb_json(settings) == (
        '{"allowedDisplaysMaxNumber":1,"allowUserSwitching":true,"allowWlan":false,'
        '"browserMessagingSocket":"ws:\\localhost:8706","examKeySalt":"AP8=","mixed":[{"A":"say "no"","b":1}],'
        '"proxies":{"ExceptionsList":[],"FTPPassive":true,"HTTPPort":80},"since":"2027-06-10T00:30:00+00:00"}'
    )
    assert config_key(settings) == sha256(seb_json(settings).encode()).hexdigest()


def test_the_key_is_that_of_the_file_handed_out() -> None:
    made = make_settings(BASE, "thi-thu-tn-2027", "4711")
    read = plistlib.loads(made.document)
    assert config_key(read) == made.config_key
    assert read["startURL"] == f"{BASE}/exam/?exam=thi-thu-tn-2027"
    assert read["hashedQuitPassword"] == sha256(b"4711").hexdigest()
    assert not read["examSessionClearCookiesOnStart"], "answers under way live in the browser's storage"
    assert make_settings(BASE, "thi-thu-tn-2027", "4711") == made
    assert make_settings(BASE, "thi-thu-tn-2027").config_key != made.config_key


@pytest.mark.parametrize(
    ("url", "shown", "verdict"),
    [
        pytest.param(f"{BASE}/exam/", "right", True, id="right"),
        pytest.param(f"{BASE}/exam/#question-3", "right", True, id="the fragment does not count"),
        pytest.param(f"{BASE}/exam/?exam=x", "right", False, id="another address"),
        pytest.param(f"{BASE}/exam/", "", False, id="nothing"),
        pytest.param(f"{BASE}/exam/", "é" * 64, False, id="not hexadecimal"),
    ],
)
def test_a_hash_holds_for_its_address_only(url: str, shown: str, verdict: bool) -> None:
    key = make_settings(BASE, "thi-thu").config_key
    given = sha256(f"{BASE}/exam/{key}".encode()).hexdigest().upper() if shown == "right" else shown
    assert is_right(key, url, given) is verdict


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        (f"{BASE}/exam/?exam=a", True),
        (f"{BASE}/staff", False),
        ("http://thi.example.vn/exam/", False),
        ("https://thi.example.vn.evil/exam/", False),
        ("", False),
        ("exam", False),
    ],
)
def test_a_script_may_name_only_the_players_own_page(url: str, ours: bool) -> None:
    assert is_our_page(BASE, url) is ours
