"""Rules that settle several human marks."""

from scoring.marking.appeal import AppealOutcome, settle_appeal
from scoring.marking.rules import AppealRules, MarkingRules, load_appeal_rules, load_marking_rules
from scoring.marking.settlement import Settlement, Step, settle

__all__ = [
    "AppealOutcome",
    "AppealRules",
    "MarkingRules",
    "Settlement",
    "Step",
    "load_appeal_rules",
    "load_marking_rules",
    "settle",
    "settle_appeal",
]
