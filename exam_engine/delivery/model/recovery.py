"""Facts on their way from PostgreSQL into a Redis that has lost them."""

import msgspec

from exam_engine.delivery.model.facts import AttemptFacts, AttemptState

LEASES_PER_SECOND = 1000
_LONGEST_SITTING_SECONDS = 900_000  # keeps leases within nine digits
_DAY_MS = 24 * 3600 * 1000


def taken_back(facts: AttemptFacts, now_ms: int) -> AttemptFacts:
    """Return the facts with a revision and a lease of this moment, newer than any that the lost Redis gave out.

    PostgreSQL may never have heard of its last changes, and some are still on their way: in the hands of a writer, in a
    save under a lease it does not know. They must not outrank what happens from here on, and no lease may be given to
    two browsers. By the lease the seats notice, too: one that asks for the time or saves is told another than its own,
    starts again, keeps the paper because it is the same browser, and sends whatever was lost. Who seems not to have
    started may have, in the last second of the lost Redis: the latest start no longer keeps anybody from coming back.
    """
    seconds = (now_ms - facts.starts_ms + _DAY_MS) // 1000
    lease = LEASES_PER_SECOND * min(max(seconds, 1), _LONGEST_SITTING_SECONDS)
    return msgspec.structs.replace(
        facts,
        revision=max(facts.revision + 1, 1000 * now_ms),
        lease=max(facts.lease + 1, lease),
        late_ms=max(facts.late_ms, facts.ends_ms) if facts.state is AttemptState.READY else facts.late_ms,
    )
