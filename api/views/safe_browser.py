"""Safe Exam Browser over HTTP: what staff learns of the settings, what a seat shows and is told."""

from typing import Annotated
from uuid import UUID

import msgspec


class SafeBrowserBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the settings are made; with a password nobody leaves the browser early without the invigilator."""

    quit_password: Annotated[str, msgspec.Meta(max_length=100)] = ""


class SafeBrowserView(msgspec.Struct, frozen=True):
    """The settings of a sitting."""

    sitting_id: UUID
    start_url: str
    config_key: str


class SeatShows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the browser's script interface gave: a hash made for the address of the page."""

    page_url: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    config_key_hash: Annotated[str, msgspec.Meta(max_length=128)] = ""
    version: Annotated[str, msgspec.Meta(max_length=100)] = ""


class SeatTold(msgspec.Struct, frozen=True):
    """Whether settings are asked for, and whether those shown are the right ones; nothing follows but a note."""

    is_needed: bool
    is_right: bool
