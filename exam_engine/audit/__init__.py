"""Append-only, hash-chained record of who did what."""

from exam_engine.audit.model import AuditEntry, AuditQuery, Head, Verification

__all__ = ["AuditEntry", "AuditQuery", "Head", "Verification"]
