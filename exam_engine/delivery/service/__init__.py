"""Use cases on sittings as a whole; what a single seat does is in `hot_path`."""

from exam_engine.delivery.service.desk import Desk, load_sitting
from exam_engine.delivery.service.notices import Extended, Extension, Message, Scope, extend, send_message
from exam_engine.delivery.service.receipts import StoredReceipt, stored_receipt
from exam_engine.delivery.service.reconciliation import Gap, Reconciliation, reconcile
from exam_engine.delivery.service.sittings import (
    SittingPlan,
    attempt_of_number,
    check_opening,
    close_sitting,
    load_sittings,
    open_sitting,
    plan_sitting,
    room_of_code,
)

__all__ = [
    "Desk",
    "Extended",
    "Extension",
    "Gap",
    "Message",
    "Reconciliation",
    "Scope",
    "SittingPlan",
    "StoredReceipt",
    "attempt_of_number",
    "check_opening",
    "close_sitting",
    "extend",
    "load_sitting",
    "load_sittings",
    "open_sitting",
    "plan_sitting",
    "reconcile",
    "room_of_code",
    "send_message",
    "stored_receipt",
]
