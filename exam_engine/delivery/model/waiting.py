"""Until when a sitting waits for an attempt: whoever has time left gets it, and every sitting comes to its close."""

from exam_engine.delivery.model.facts import AttemptFacts, AttemptState, stop_spans

LONGEST_PAUSE_MS = 4 * 3600 * 1000  # beyond the end of the sitting: as long as the most extra time that can be given


def waited_until_ms(facts: AttemptFacts) -> int | None:
    """Return the last moment at which an attempt keeps its sitting open; None: nobody waits for it.

    Who writes is waited for to the limit. Whose clock stands, started or not, until people let it run on: four hours
    beyond the end or, begun later, four hours from its beginning; a room everybody has left keeps no sitting open for
    ever. Who has not started, though the clock stood, may start and end that much later.
    """
    if facts.state not in (AttemptState.READY, AttemptState.RUNNING):
        return None
    if facts.paused_ms:
        return max(facts.paused_ms, facts.ends_ms) + LONGEST_PAUSE_MS
    if facts.state is AttemptState.RUNNING:
        return facts.limit_ms
    stood_ms = sum(end - begin for begin, end in stop_spans(facts))
    return facts.ends_ms + stood_ms if stood_ms else None


def is_waited_out(facts: AttemptFacts, now_ms: int) -> bool:
    """Whether the time for which an attempt was waited for has passed: the timer closes it."""
    until_ms = waited_until_ms(facts)
    return until_ms is not None and now_ms > until_ms
