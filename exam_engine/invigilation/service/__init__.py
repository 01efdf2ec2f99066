"""Use cases of invigilation: the live board, one seat, incidents, Safe Exam Browser settings."""

from exam_engine.invigilation.service.board import NO_NOTES, Notes, board, load_notes, rooms
from exam_engine.invigilation.service.duties import (
    give_duty,
    import_duties,
    load_duties,
    load_invigilators,
    rooms_on_duty,
    take_duty,
)
from exam_engine.invigilation.service.exam_rooms import load_room, load_rooms
from exam_engine.invigilation.service.incidents import (
    load_incidents,
    report_incident,
    require_incident,
    withdraw_incident,
)
from exam_engine.invigilation.service.safe_browser import (
    drop_safe_browser,
    find_safe_browser,
    make_safe_browser,
    require_safe_browser,
)
from exam_engine.invigilation.service.seats import (
    Identity,
    IdentityCheck,
    check_identity,
    load_photo,
    load_timeline,
    mark_reviewed,
    require_seat,
)

__all__ = [
    "NO_NOTES",
    "Identity",
    "IdentityCheck",
    "Notes",
    "board",
    "check_identity",
    "drop_safe_browser",
    "find_safe_browser",
    "give_duty",
    "import_duties",
    "load_duties",
    "load_incidents",
    "load_invigilators",
    "load_notes",
    "load_photo",
    "load_room",
    "load_rooms",
    "load_timeline",
    "make_safe_browser",
    "mark_reviewed",
    "report_incident",
    "require_incident",
    "require_safe_browser",
    "require_seat",
    "rooms",
    "rooms_on_duty",
    "take_duty",
    "withdraw_incident",
]
