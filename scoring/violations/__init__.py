"""Effects of decided violations on marks: a deduction on top of the raw mark, or the cancellation of all results."""

from scoring.violations.effects import Effect, Violation, adjusted, effect
from scoring.violations.rules import ViolationKind, ViolationRules, load_violation_rules, violation_rules_in

__all__ = [
    "Effect",
    "Violation",
    "ViolationKind",
    "ViolationRules",
    "adjusted",
    "effect",
    "load_violation_rules",
    "violation_rules_in",
]
