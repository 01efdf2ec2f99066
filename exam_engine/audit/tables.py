"""Mapping of the audit record. The database itself refuses to change or remove a row (see the migration)."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from exam_engine.infra.database import Base


class AuditEntryRow(Base):
    """One act: who did what to which thing, chained to the entry before it."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "subject"), Index(None, "actor"), Index(None, "at"))

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # 1, 2, 3 … no gaps
    at: Mapped[datetime]
    actor: Mapped[str]  # "person:<user name>", "system:<what>"
    action: Mapped[str]  # "form.seal"
    subject: Mapped[str]  # "form:<id>"
    facts: Mapped[dict[str, Any]]
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes]
