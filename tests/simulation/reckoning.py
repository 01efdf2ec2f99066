"""The oracle's own arithmetic of an attempt's time, written apart from the model's."""

from typing import Any

import msgspec

from exam_engine.delivery.model import AttemptFacts


def began(apply: Any, before: AttemptFacts) -> int:
    """When an attempt really begins: now, or when its seat says it did, not before the sitting nor in the future."""
    return min(apply.truth_ms, max(apply.detail.get("claimed_ms", apply.truth_ms), before.starts_ms))


def stood(facts: AttemptFacts, until_ms: int, since_ms: int = 0) -> int:
    """How long the clock stood, counted span by span from the record of stops and the present pause."""
    spans = [tuple(map(int, span.split("-"))) for span in facts.stops.split()]
    if facts.paused_ms:
        spans.append((facts.paused_ms, until_ms))
    return sum(max(min(end, until_ms) - max(begin, since_ms), 0) for begin, end in spans)


def lasting(facts: AttemptFacts) -> AttemptFacts:
    """What does not change when an attempt is only taken back."""
    return msgspec.structs.replace(facts, revision=0, lease=0)
