"""Sealed papers: what seats fetch while they wait, and the keys that make it readable once the sitting has started.

    waiting room opens ──► the sealed paper, one file for all; the sealed start, one for each attempt
    start (network)    ──► the envelope brings `paper_key` and `seat_key`
    start (no network) ──► the room's release code opens the wrapped paper key; see `offline_starts`

Every key is derived from the master secret, so any host can serve any seat and nothing is stored. A sealed file is
named by its SHA-256; sealing is deterministic, so all hosts name it alike.
"""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from uuid import UUID

import msgspec

from exam_engine.assembly.model import CompiledForm
from exam_engine.delivery.model import AttemptId, SittingId
from exam_engine.enrolment.codes import room_release_code
from exam_engine.infra import sealing
from exam_engine.infra.secrets import derive_key

MAXIMUM_MEDIA_BYTES = 24 * 1024 * 1024
"""Figures beyond this are fetched singly after the start: an old computer decrypts the file in one piece."""

PAPER_LABEL = b"exam-paper/1"
START_LABEL = b"exam-start/1"
KEY_LABEL = b"exam-key/1"
_MEDIA = re.compile(rb"/media/([0-9a-f]{64})\.(svg|png|jpg|jpeg)")


class Figure(msgspec.Struct, frozen=True):
    """A picture that travels inside the sealed file."""

    path: str
    media_type: str
    content: bytes


class SealedPaper(msgspec.Struct, frozen=True):
    """The file all candidates of a sitting fetch beforehand, named by the SHA-256 of its bytes."""

    hash: str
    content: bytes


class _Part(msgspec.Struct, frozen=True):
    path: str
    media_type: str
    bytes: int


class _Index(msgspec.Struct, frozen=True):
    """Head of the sealed content: how many bytes of form (gzip) follow, then which pictures."""

    form_bytes: int
    media: list[_Part]


class SittingSeals:
    """The keys of one sitting and form."""

    def __init__(self, secret: bytes, sitting_id: SittingId, form_hash: str) -> None:
        self._secret = secret
        self._sitting_id = sitting_id
        self.paper_key = derive_key(secret, f"sealed-paper:{sitting_id}:{form_hash}")
        self._seat_secret = derive_key(secret, f"seat:{sitting_id}")
        self._box = sealing.box_private_key(derive_key(secret, f"hand-over:{sitting_id}"))
        self.hand_over_key = sealing.box_public_key(self._box)
        self._wrapping: dict[str, asyncio.Task[bytes]] = {}

    def seat_key(self, attempt_id: UUID) -> bytes:
        """Return what only the server and this attempt's seat know: it signs off-line starts and hand-over files."""
        return sealing.mac(self._seat_secret, attempt_id.bytes)

    def salt(self, room_code: str) -> bytes:
        """Return the salt of a room's release code."""
        return hashlib.sha256(f"release:{self._sitting_id}:{room_code}".encode()).digest()

    def release_code(self, room_code: str) -> str:
        """Return the code that opens the paper without a network in one room, "7KQ2-M4XV-0ZHT"."""
        return room_release_code(self._secret, str(self._sitting_id), room_code)

    async def wrapped_paper_key(self, room_code: str) -> bytes:
        """Return the paper key sealed under a room's release code; worked out once, beside the event loop."""
        task = self._wrapping.get(room_code)
        if task is None:
            # The letters alone: nobody should fail for a hyphen.
            code = self.release_code(room_code).replace("-", "")
            work = asyncio.to_thread(sealing.wrap_by_code, code, self.salt(room_code), KEY_LABEL, self.paper_key)
            task = self._wrapping[room_code] = asyncio.get_running_loop().create_task(work)
        return await asyncio.shield(task)

    def open_hand_over(self, attempt_id: AttemptId, box: bytes) -> bytes:
        """Return what a seat sealed to this sitting.

        Raises
        ------
        infra.sealing.SealBroken
        """
        return sealing.open_box(self._box, hand_over_label(self._sitting_id, attempt_id), box)


def hand_over_label(sitting_id: UUID, attempt_id: UUID) -> bytes:
    """Return what a hand-over file is bound to: it opens for no other attempt."""
    return f"exam-hand-over/1:{sitting_id}:{attempt_id}".encode()


def figure_addresses(compiled: CompiledForm) -> Mapping[str, str]:
    """Return the pictures a form shows: hash by path, in the order they appear."""
    return {match.group(0).decode(): match.group(1).decode() for match in _MEDIA.finditer(compiled.body)}


def seal_paper(seals: SittingSeals, compiled: CompiledForm, figures: list[Figure]) -> SealedPaper:
    """Seal a form, compressed as assembly left it, with its pictures as far as they fit."""
    fitting: list[Figure] = []
    room = MAXIMUM_MEDIA_BYTES
    for figure in figures:
        if len(figure.content) <= room:
            fitting.append(figure)
            room -= len(figure.content)
    index = msgspec.json.encode(
        _Index(len(compiled.gzip), [_Part(f.path, f.media_type, len(f.content)) for f in fitting])
    )
    content = b"".join((len(index).to_bytes(4, "big"), index, compiled.gzip, *(f.content for f in fitting)))
    sealed = sealing.seal(seals.paper_key, PAPER_LABEL, content)
    return SealedPaper(hashlib.sha256(sealed).hexdigest(), sealed)
