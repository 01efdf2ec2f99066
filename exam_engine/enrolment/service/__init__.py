"""Use cases of enrolment: exams and subjects, candidates, numbers, seats, codes on cards, marks from files."""

from exam_engine.enrolment.service.accommodations import (
    AccommodationImport,
    accommodations_in,
    import_accommodations,
    load_accommodations,
    save_accommodation,
    set_time_factor,
    withdraw_accommodation,
)
from exam_engine.enrolment.service.candidates import (
    find_candidate,
    list_candidates,
    load_candidates,
    load_marks,
    load_subject_candidates,
    reissue_codes,
    require_candidate,
    require_candidate_by_code,
    require_candidate_by_id,
    require_exam_by_code,
)
from exam_engine.enrolment.service.cards import candidates_for_cards
from exam_engine.enrolment.service.exams import (
    add_subject,
    create_exam,
    load_exams,
    load_subjects,
    require_exam,
    require_exam_by_id,
    require_subject,
    require_subject_by_id,
    set_codes_valid_until,
    set_state,
)
from exam_engine.enrolment.service.imports import import_candidates, import_marks
from exam_engine.enrolment.service.numbers import assign_numbers
from exam_engine.enrolment.service.photos import PhotoReport, import_photos, load_photos
from exam_engine.enrolment.service.rooms import assign_rooms, load_rooms, load_subject_rooms

__all__ = [
    "AccommodationImport",
    "PhotoReport",
    "accommodations_in",
    "add_subject",
    "assign_numbers",
    "assign_rooms",
    "candidates_for_cards",
    "create_exam",
    "find_candidate",
    "import_accommodations",
    "import_candidates",
    "import_marks",
    "import_photos",
    "list_candidates",
    "load_accommodations",
    "load_candidates",
    "load_exams",
    "load_marks",
    "load_photos",
    "load_rooms",
    "load_subject_candidates",
    "load_subject_rooms",
    "load_subjects",
    "reissue_codes",
    "require_candidate",
    "require_candidate_by_code",
    "require_candidate_by_id",
    "require_exam",
    "require_exam_by_code",
    "require_exam_by_id",
    "require_subject",
    "require_subject_by_id",
    "save_accommodation",
    "set_codes_valid_until",
    "set_state",
    "set_time_factor",
    "withdraw_accommodation",
]
