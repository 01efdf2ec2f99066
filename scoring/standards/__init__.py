"""Standards: from ability to the reporting scale, cut scores, and what panels of judges say about them."""

from scoring.standards.angoff import AngoffSummary, angoff_summary
from scoring.standards.bookmark import BookletPage, BookmarkSummary, bookmark_summary, ordered_booklet
from scoring.standards.cut_scores import Classification, CutScores, classify
from scoring.standards.panel import Recommendation
from scoring.standards.scale import ReportedScores, ReportingScale, scale_of_population, scale_through

__all__ = [
    "AngoffSummary",
    "BookletPage",
    "BookmarkSummary",
    "Classification",
    "CutScores",
    "Recommendation",
    "ReportedScores",
    "ReportingScale",
    "angoff_summary",
    "bookmark_summary",
    "classify",
    "ordered_booklet",
    "scale_of_population",
    "scale_through",
]
