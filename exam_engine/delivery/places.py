"""Where Redis keeps attempts: one group of keys a shard.

Keys `sit:{<sitting>:<shard>}:` + `events` (stream to PostgreSQL), `a:<attempt>` (facts), `answers` (below),
`l:<attempt>` (marks of refused answers kept), `due` (until when attempts are waited for), `seen`, `notices`,
`notice-of`, `changed` and `changes` (whose facts changed, and the count), `primed`, `sealed` (the sitting closes).
Scripts derive them from the stream's key.

All that a save asks and changes lies in the one hash `answers`, so that a batch of saves is three commands (decision
0020): `<attempt> <slot>` is a packed answer; `<attempt>` the gate (`model.Gate`), which the script compares and the
model judges; `<attempt> n` the tally, "<answered> <slot>,<slot>,…" of all slots that have an answer, cleared ones too;
`<attempt> l` the last save, "<lease> <arrival> <mark>", never the same again once an answer has changed (while Redis
lives). Without facts or tally an attempt is unknown: it is taken over from PostgreSQL.
"""

from uuid import UUID

import msgspec

from exam_engine.delivery.model import SittingId, shard_of

PACKAGE = "exam_engine.delivery"  # its folder has the scripts
KEPT_AFTER_CLOSE_SECONDS = 7 * 24 * 3600


class NotHeld(Exception):
    """Redis does not know the attempt: take it over from PostgreSQL and ask again. Never leaves the room."""


class Place(msgspec.Struct, frozen=True):
    """Where an attempt is kept: its id as text and the stream of its shard."""

    attempt: str
    stream: str

    @property
    def prefix(self) -> str:
        """What all keys of the shard begin with."""
        return self.stream.removesuffix("events")


def stream_key(sitting_id: UUID, shard: int) -> str:
    """Return the key of a shard's event stream."""
    return f"sit:{{{sitting_id}:{shard}}}:events"


def stream_keys(sitting_id: SittingId, shards: int) -> list[str]:
    """Return the streams of a sitting."""
    return [stream_key(sitting_id, shard) for shard in range(shards)]


def place_of(sitting_id: UUID, shards: int, attempt_id: UUID) -> Place:
    """Return where an attempt is kept."""
    return Place(str(attempt_id), stream_key(sitting_id, shard_of(attempt_id, shards)))
