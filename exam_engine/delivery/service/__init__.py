"""Use cases on sittings as a whole; what a single seat does is in `hot_path`."""

from exam_engine.delivery.service.acts import (
    INVERSES,
    Acted,
    ActKind,
    SeatAct,
    act_on_seats,
    load_acts,
    preview,
    require_act,
    undo,
)
from exam_engine.delivery.service.desk import Desk, Scope, load_sitting
from exam_engine.delivery.service.late_answers import LateAcceptance, LateAccepted, LateView, accept_late, load_late
from exam_engine.delivery.service.notices import Extended, Extension, Message, extend, send_message
from exam_engine.delivery.service.postponing import Postponed, Postponement, postpone
from exam_engine.delivery.service.receipts import StoredReceipt, stored_receipt
from exam_engine.delivery.service.reconciliation import Gap, Reconciliation, reconcile
from exam_engine.delivery.service.sittings import (
    MAKE_STATEMENTS,
    SittingPlan,
    attempt_of_number,
    check_opening,
    close_sitting,
    code_of_room,
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
    "INVERSES",
    "MAKE_STATEMENTS",
    "ActKind",
    "Acted",
    "Desk",
    "Extended",
    "Extension",
    "Gap",
    "LateAcceptance",
    "LateAccepted",
    "LateView",
    "Message",
    "Postponed",
    "Postponement",
    "Reconciliation",
    "Scope",
    "SeatAct",
    "SittingPlan",
    "StatementCheck",
    "StatementMaking",
    "StoredReceipt",
    "accept_late",
    "act_on_seats",
    "attempt_of_number",
    "check_opening",
    "check_statements",
    "close_sitting",
    "code_of_room",
    "extend",
    "load_acts",
    "load_late",
    "load_sitting",
    "load_sittings",
    "load_statements",
    "make_statements",
    "open_sitting",
    "plan_sitting",
    "postpone",
    "preview",
    "reconcile",
    "require_act",
    "room_of_code",
    "send_message",
    "stored_receipt",
    "undo",
]
