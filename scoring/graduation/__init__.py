"""Graduation score by data rule sets, with a trace."""

from scoring.graduation.compute import GraduationOutcome, compute
from scoring.graduation.records import Conserved, Points, Record, read_record, year_average
from scoring.graduation.rules import RuleSet, known_rule_sets, load_rules, parse_rules, require_valid_in
from scoring.graduation.trace import MESSAGES, Line, Reason, ReasonCode

__all__ = [
    "MESSAGES",
    "Conserved",
    "GraduationOutcome",
    "Line",
    "Points",
    "Reason",
    "ReasonCode",
    "Record",
    "RuleSet",
    "compute",
    "known_rule_sets",
    "load_rules",
    "parse_rules",
    "read_record",
    "require_valid_in",
    "year_average",
]
