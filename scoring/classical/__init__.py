"""Classical item analysis: facility, discrimination, distractors, omissions, times, reliability, plain verdicts."""

from scoring.classical.distractors import DistractorTable, ability_groups, distractor_table
from scoring.classical.item_statistics import ItemStatistics, extreme_shares, item_statistics
from scoring.classical.reliability import Reliability, omega_total, reliability
from scoring.classical.response_time import ItemTimes, item_times
from scoring.classical.score_table import ScoreTable, score_table
from scoring.classical.verdicts import SENTENCES, STANDARD_LIMITS, Finding, Limits, Verdict, verdicts

__all__ = [
    "SENTENCES",
    "STANDARD_LIMITS",
    "DistractorTable",
    "Finding",
    "ItemStatistics",
    "ItemTimes",
    "Limits",
    "Reliability",
    "ScoreTable",
    "Verdict",
    "ability_groups",
    "distractor_table",
    "extreme_shares",
    "item_statistics",
    "item_times",
    "omega_total",
    "reliability",
    "score_table",
    "verdicts",
]
