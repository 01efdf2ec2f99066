"""Formats of papers as data files: parts, points and steps of each subject, with validity and source."""

from scoring.papers.formats import PaperFormat, PartFormat, discrepancies, known_formats, load_format

__all__ = ["PaperFormat", "PartFormat", "discrepancies", "known_formats", "load_format"]
