"""Use cases on sittings as a whole; what a single seat does is in `hot_path`."""

from exam_engine.delivery.service.desk import Desk, load_sitting
from exam_engine.delivery.service.notices import Extended, Extension, Message, Scope, extend, send_message
from exam_engine.delivery.service.receipts import StoredReceipt, stored_receipt
from exam_engine.delivery.service.reconciliation import Gap, Reconciliation, reconcile
from exam_engine.delivery.service.sittings import (
    MAKE_STATEMENTS,
    SittingPlan,
    attempt_of_number,
    check_opening,
    close_sitting,
    load_sittings,
    open_sitting,
    plan_sitting,
    room_of_code,
)
from exam_engine.delivery.service.statements import (
    StatementCheck,
    StatementMaking,
    check_statements,
    load_statements,
    make_statements,
)

__all__ = [
    "MAKE_STATEMENTS",
    "Desk",
    "Extended",
    "Extension",
    "Gap",
    "Message",
    "Reconciliation",
    "Scope",
    "SittingPlan",
    "StatementCheck",
    "StatementMaking",
    "StoredReceipt",
    "attempt_of_number",
    "check_opening",
    "check_statements",
    "close_sitting",
    "extend",
    "load_sitting",
    "load_sittings",
    "load_statements",
    "make_statements",
    "open_sitting",
    "plan_sitting",
    "reconcile",
    "room_of_code",
    "send_message",
    "stored_receipt",
]
