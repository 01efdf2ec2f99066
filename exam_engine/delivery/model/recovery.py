"""What may be lost with Redis: when a paper no longer depends on it, and facts on their way back from PostgreSQL."""

from collections.abc import Mapping

import msgspec

from exam_engine.delivery.model.facts import AttemptFacts, AttemptState

LEASES_PER_SECOND = 1000
_LONGEST_SITTING_SECONDS = 900_000  # keeps leases within nine digits
_DAY_MS = 24 * 3600 * 1000


def is_stored(
    facts: AttemptFacts, sequences: Mapping[int, int], stored: AttemptFacts, stored_sequences: Mapping[int, int]
) -> bool:
    """Decide whether PostgreSQL has the whole of a paper that has ended: until then its seat keeps what it holds.

    The end alone does not tell: of several writers one may bring it before another brings the answers. Nor do
    revisions: those of facts taken back are ahead of what is stored.
    """
    has_ended = facts.state in (AttemptState.SUBMITTED, AttemptState.CLOSED)
    return (
        has_ended
        and stored.state is facts.state
        and stored.finished_ms == facts.finished_ms
        and is_whole(sequences, stored_sequences)
    )


def is_whole(sequences: Mapping[int, int], stored_sequences: Mapping[int, int]) -> bool:
    """Decide whether every answer is stored, or a newer one of its slot."""
    return all(stored_sequences.get(slot, 0) >= sequence for slot, sequence in sequences.items())


def taken_back(facts: AttemptFacts, now_ms: int, *, is_whole: bool = True) -> AttemptFacts:
    """Return the facts with a revision and a lease of this moment, newer than any that the lost Redis gave out.

    PostgreSQL may never have heard of its last changes, and some are still on their way: in the hands of a writer, in a
    save under a lease it does not know. They must not outrank what happens from here on, and no lease may be given to
    two browsers. By the lease the seats notice, too: one that asks for the time or saves is told another than its own,
    starts again, keeps the paper because it is the same browser, and sends whatever was lost. Who seems not to have
    started may have, in the last second of the lost Redis: the latest start no longer keeps anybody from coming back.

    `is_whole`: every answer a hand-in named is stored. A hand-in that came without its answers did not come: its seat
    was never told that it is stored, and hands in again.
    """
    seconds = (now_ms - facts.starts_ms + _DAY_MS) // 1000
    lease = LEASES_PER_SECOND * min(max(seconds, 1), _LONGEST_SITTING_SECONDS)
    if facts.state is AttemptState.SUBMITTED and not is_whole:
        facts = msgspec.structs.replace(facts, state=AttemptState.RUNNING, finished_ms=0)
    return msgspec.structs.replace(
        facts,
        revision=max(facts.revision + 1, 1000 * now_ms),
        lease=max(facts.lease + 1, lease),
        late_ms=max(facts.late_ms, facts.ends_ms) if facts.state is AttemptState.READY else facts.late_ms,
    )
