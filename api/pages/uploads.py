"""Files between the two steps of an import: checked, kept for a quarter of an hour, then taken in or forgotten."""

import secrets
from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import UploadFile

from exam_engine.identity.model import Person
from exam_engine.infra.errors import FileRefused, RowError
from exam_engine.infra.i18n import N_

STORE = "uploads"
KEPT_SECONDS = 900
_GONE = N_("the file was kept for 15 minutes; choose it again")


class KeptFile(msgspec.Struct, frozen=True):
    """One uploaded file under the name of its field."""

    field: str
    name: str
    content: bytes

    def as_upload(self) -> UploadFile:
        """Return it as it came from the browser."""
        return UploadFile(content_type="application/octet-stream", filename=self.name, file_data=self.content)


class Kept(msgspec.Struct, frozen=True):
    """What was uploaded together, with the other values of the form."""

    files: tuple[KeptFile, ...]
    values: dict[str, str] = {}

    def file(self, field: str) -> KeptFile | None:
        """Return the file of a field."""
        return next((file for file in self.files if file.field == field), None)


async def read_upload(field: str, upload: UploadFile | None) -> KeptFile | None:
    """Read an uploaded file; None if the field was left empty."""
    if upload is None or not upload.filename:
        return None
    return KeptFile(field, upload.filename, await upload.read())


async def keep(request: Request[Any, Any, Any], person: Person, kept: Kept) -> str:
    """Keep files for the second step and return the token that finds them, for this person only."""
    token = secrets.token_urlsafe(18)
    store = request.app.stores.get(STORE)
    await store.set(_place(person, token), msgspec.msgpack.encode(kept), expires_in=KEPT_SECONDS)
    return token


async def take(request: Request[Any, Any, Any], person: Person, token: str) -> Kept:
    """Take kept files out.

    Raises
    ------
    FileRefused
        They are not there any more.
    """
    store = request.app.stores.get(STORE)
    place = _place(person, token)
    held = await store.get(place)
    if held is None:
        raise FileRefused("–", [RowError(place="", reason=str(_GONE), message=_GONE)])
    await store.delete(place)
    return msgspec.msgpack.decode(held, type=Kept)


def _place(person: Person, token: str) -> str:
    return f"{person.id}:{token[:40]}"
