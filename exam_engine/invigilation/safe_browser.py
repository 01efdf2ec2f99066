"""Safe Exam Browser: the settings file of a sitting, its Config Key, and the comparison a seat is asked for. Pure.

We write the settings ourselves, so we know their key. A seat proves it runs with them by a hash of an address and the
key, in a header (Windows) or from the browser's script interface (macOS, iOS). A failed comparison warns and never
ends anything: after a network loss an honest seat may fail it, and a skilled cheat passes it.

Source: the project's developer pages "Config Key" and "File Format" (safeexambrowser.org/developer).
"""

import base64
import hmac
import plistlib
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urldefrag, urlsplit

import msgspec

HEADER = "x-safeexambrowser-configkeyhash"
START_PATH = "/exam/"
QUIT_QUERY = "seb=quit"
MEDIA_TYPE = "application/seb"

_ALLOW = 1
_MODERN_WEB_VIEW = 3
_FULL_SCREEN = 1


class SafeBrowser(msgspec.Struct, frozen=True, kw_only=True):
    """The settings made for a sitting: the file as handed out, and its key in hexadecimal."""

    config_key: str
    document: bytes
    start_url: str


def make_settings(base_url: str, exam_code: str, quit_password: str = "") -> SafeBrowser:
    """Make the settings with which the seats of an exam open its sign-in.

    Parameters
    ----------
    base_url : str
        Where the seats find us, without a slash at the end.
    exam_code : str
        Goes into the address, so that nobody types it.
    quit_password : str
        What the invigilator types to leave early; without one anybody may leave.
    """
    start_url = f"{base_url}{START_PATH}?exam={exam_code}"
    settings: dict[str, Any] = {
        "startURL": start_url,
        "quitURL": f"{base_url}{START_PATH}?{QUIT_QUERY}",
        "quitURLConfirm": False,
        "allowQuit": True,
        "sendBrowserExamKey": True,
        "browserWindowWebView": _MODERN_WEB_VIEW,
        "browserViewMode": _FULL_SCREEN,
        "browserWindowAllowReload": True,
        "showReloadWarning": False,
        "showTaskBar": True,
        "showTime": True,
        "showInputLanguage": True,
        "allowSpellCheck": False,
        "allowDictionaryLookup": False,
        "allowDictation": False,
        "allowDownUploads": False,
        "allowPreferencesWindow": False,
        "allowScreenSharing": False,
        "allowSwitchToApplications": False,
        "allowUserSwitching": False,
        "allowVideoCapture": False,
        "allowAudioCapture": False,
        "allowVirtualMachine": False,
        "enablePrintScreen": False,
        "enablePrivateClipboard": True,
        "enableRightMouse": False,
        "enableZoomPage": True,
        "newBrowserWindowByLinkPolicy": 0,
        "newBrowserWindowByScriptPolicy": 0,
        # Answers not yet sent live in the browser's storage: a restart after a crash must find them again. The player
        # itself wipes them once they are handed in.
        "examSessionClearCookiesOnStart": False,
        "examSessionClearCookiesOnEnd": False,
        "removeBrowserProfile": False,
        "URLFilterEnable": True,
        "URLFilterEnableContentFilter": False,
        "URLFilterRules": [
            {"action": _ALLOW, "active": True, "expression": urlsplit(base_url).netloc + "/*", "regex": False}
        ],
    }
    if quit_password:
        settings["hashedQuitPassword"] = sha256(quit_password.encode()).hexdigest()
    return SafeBrowser(
        config_key=config_key(settings),
        document=plistlib.dumps(settings, sort_keys=True),
        start_url=start_url,
    )


def config_key(settings: Mapping[str, Any]) -> str:
    """Return the Config Key of settings: SHA-256 of their "SEB-JSON", in lower-case hexadecimal."""
    return sha256(seb_json(settings).encode()).hexdigest()


def seb_json(settings: Mapping[str, Any]) -> str:
    """Write settings as the browser does before it hashes them.

    No white space, nothing escaped (not even quotation marks: it is no true JSON), keys of every dictionary in order
    without regard to case, empty dictionaries and `originatorVersion` left out, data in Base64, dates in ISO 8601.
    """
    return _said({name: value for name, value in settings.items() if name != "originatorVersion"})


def is_right(key: str, asked_url: str, given_hash: str) -> bool:
    """Compare what a browser sent for an address, in constant time; the fragment of the address does not count."""
    expected = sha256((urldefrag(asked_url).url + key).encode()).hexdigest()
    return hmac.compare_digest(expected.encode(), given_hash.strip().lower().encode())


def is_our_page(base_url: str, page_url: str) -> bool:
    """Whether an address a script named is a page of the player, as the settings' start address is."""
    ours, theirs = urlsplit(base_url), urlsplit(page_url)
    return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc) and theirs.path.startswith(START_PATH)


def _said(value: object) -> str:
    if isinstance(value, Mapping):
        kept = {name: inner for name, inner in value.items() if not (isinstance(inner, Mapping) and not inner)}
        return "{" + ",".join(f'"{name}":{_said(kept[name])}' for name in sorted(kept, key=str.casefold)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_said, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return f'"{base64.b64encode(value).decode()}"'
    if isinstance(value, datetime):
        return f'"{value.isoformat()}"'
    if isinstance(value, int | float):
        return str(value)
    return f'"{value}"'
