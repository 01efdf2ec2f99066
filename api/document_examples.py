"""One whole example for every body of the API, by the name of its operation; a test reads each by its type."""

from collections.abc import Mapping
from typing import Any

_EXAM_SUBJECT = "5f1d3c7e-8a52-4f0e-9a55-0d5b8d1f4a10"
_FORM = "c2c0a6a4-6d0b-4a3e-8f5d-7d1f0f6f6a21"
_CARD = {"exam": "thi-thu-tn-2027", "candidate_number": "31000001", "code": "7KQ2-M4XV-0ZHT"}

_ROOM = "0a4b3c2d-9d52-4c1e-8f3a-2b1c0d9e8f7a"
_ONE_SEAT = {
    "request_id": "seat-31000017",
    "reason": "Theo biên bản số 3",
    "attempts": ["7d2f0f7c-5c3b-4f5e-9a66-1f2e3d4c5b6a"],
}

BODIES: Mapping[str, Any] = {
    # candidate
    "candidate_sign_in": _CARD,
    "candidate_start": {"client_id": "b1946ac9-browser"},
    "candidate_save": {
        "lease": 1,
        "responses": [
            {"slot": 1, "sequence": 7, "value": "B", "client_time_ms": 1812931200000},
            {"slot": 17, "sequence": 8, "value": "-0,5", "client_time_ms": 1812931203500},
        ],
        "after": 0,
    },
    "candidate_submit": {"lease": 1, "sequences": {"1": 7, "17": 8}},
    "candidate_events": {
        "events": [{"kind": "focus_lost", "client_time_ms": 1812931260000, "detail": {"seconds": 4}}],
    },
    # public
    "public_result": _CARD,
    "public_decision": {**_CARD, "exam": "vao-10-2027"},
    # staff
    "staff_sign_in": {"user_name": "author", "password": "a-pass-phrase-of-mine"},
    # exams
    "exams_create": {
        "code": "khao-sat-12-2027",
        "name": "Khảo sát lớp 12 năm 2027",
        "unit": "31",
        "year": 2027,
        "kind": "practice",
        "codes_valid_until": "2027-06-30T17:00:00Z",
        "subjects": [{"code": "TOAN", "name": "Toán", "mode": "online", "minutes": 90, "maximum": 1000}],
    },
    "exams_import_candidates": {
        "file": "candidate_number,full_name,date_of_birth,school,subjects\n,Trần Thị Ánh,05/09/2009,THPT-A,TOAN VAN\n"
    },
    "exams_accommodate": {
        "candidate_number": "31000001",
        "subject": "TOAN",
        "time_factor": "1.25",
        "extra_minutes": 10,
        "note": "Màn hình lớn",
        "reason": "Quyết định 12/QĐ",
    },
    "exams_withdraw": {"reason": "Nhập nhầm thí sinh"},
    "exams_import_table": {"file": "candidate_number,subject,time_factor,extra_minutes,note\n31000001,,1.25,,\n"},
    "exams_time_factor": {"factor": "1.25", "reason": "Khiếm thị"},
    "exams_import_marks": {"file": 'candidate_number,TOAN,VAN\n31000001,"8,25","7,5"\n31000002,V,6\n'},
    "exams_number": {"prefix": "31", "is_anew": False},
    "exams_seat": {"subject_codes": ["TOAN"], "capacity": 24, "last_room_capacity": 28, "room_prefix": "P"},
    # items
    "items_create": {
        "bank": "toan-12",
        "cells": {
            "code": "HS-001",
            "kind": "single_choice",
            "topic": "HS",
            "level": "know",
            "stem": "Đạo hàm của hàm số $y=x^2$ là",
            "option_a": "$2x$",
            "option_b": "$x$",
            "option_c": "$x^2$",
            "option_d": "$2$",
            "key": "A",
        },
    },
    "items_update": {
        "expected": 1,
        "cells": {
            "kind": "short_numeric",
            "topic": "HS",
            "level": "apply",
            "stem": "Giá trị lớn nhất của $y=1-x^2$ là bao nhiêu?",
            "key": "1",
            "compare": "numeric",
        },
    },
    "items_return_item": {"comment": "Phương án B và C giống nhau."},
    # forms
    "forms_save_blueprint": {
        "bank": "toan-12",
        "code": "toan-12-45-phut",
        "name": "Toán 12: 45 phút",
        "spec": {
            "title": "Toán",
            "minutes": 45,
            "language": "vi",
            "paper_code_prefix": "01",
            "parts": [
                {
                    "part": 1,
                    "kind": "single_choice",
                    "points": 50,
                    "title": "PHẦN I",
                    "instructions": "Mỗi câu chọn một phương án.",
                    "cells": [{"level": "know", "count": 6}, {"level": "understand", "count": 4}],
                }
            ],
        },
    },
    "forms_assemble": {"blueprint": "toan-12-45-phut", "code": "TOAN-45-01", "paper_codes": 4, "seed": 202701},
    "forms_change_key": {
        "slot": 5,
        "key": {"rule": "one_option", "accepted": ["B", "C"]},
        "reason": "Two options are right, as the council decided",
    },
    # sittings
    "sittings_plan": {
        "exam_subject_id": _EXAM_SUBJECT,
        "form_id": _FORM,
        "code": "khao-sat-12-toan",
        "name": "Khảo sát lớp 12: Toán",
        "starts_at": "2027-06-10T00:30:00Z",
        "ends_at": "2027-06-10T02:30:00Z",
        "duration_seconds": 5400,
        "late_limit_seconds": 900,
    },
    "candidate_check_safe_browser": {
        "page_url": "https://thi.example.vn/exam/?exam=thi-thu-tn-2027",
        "config_key_hash": "81aad4ab9dfd447cc479e6a4a7c9a544e2cafc7f3adeb68b2a21efad68eca4dc",
        "version": "SEB_Win_3.9",
    },
    "sittings_give_duty": {"room_id": _ROOM, "user_name": "invigilator", "duty": "deputy"},
    "sittings_take_duty": {"room_id": _ROOM, "user_name": "invigilator"},
    "sittings_import_table": {"file": "room,user,duty\nP001,invigilator,\nP002,invigilator,deputy\n"},
    "sittings_identity": {"identity": "doubtful", "note": "ảnh chụp từ lớp 6"},
    "sittings_report": {
        "request": "4f1c0b7a9d2e",
        "kind": "power",
        "text": "Mất điện toàn phòng bốn phút.",
        "began_at": "2027-06-10T08:12:00+07:00",
        "ended_at": "2027-06-10T08:16:00+07:00",
    },
    "sittings_withdraw": {"reason": "Ghi nhầm phòng"},
    "sittings_make": {"quit_password": "4711"},
    "sittings_extend": {"seconds": 300, "reason": "Power cut in room P003", "request": "power-cut-p003"},
    "sittings_pause": {"request_id": "pause-p003", "reason": "Mất điện phòng P003", "room": _ROOM},
    "sittings_resume": {"request_id": "resume-p003", "reason": "Có điện lại", "room": _ROOM},
    **{f"sittings_{act}": _ONE_SEAT for act in ("lock", "unlock", "end", "absent", "malpractice", "reopen")},
    "sittings_admit": {"request_id": "move-31000017", "credit": True, "reason": "Máy hỏng, chuyển sang máy dự phòng"},
    "sittings_refuse": {"request_id": "refuse-31000017", "reason": "Thí sinh mở hai máy"},
    "sittings_move": {
        "request_id": "spare-31000017",
        "reason": "Máy hỏng, sang phòng dự phòng",
        "room": "00000000-0000-4000-8000-000000000007",
        "seat": 3,
    },
    "sittings_undo": {"request_id": "undo-1", "reason": "Bấm nhầm"},
    "sittings_postpone": {"request_id": "storm", "reason": "Mưa bão", "minutes": 30},
    "sittings_accept_late": {"request_id": "late-31000017", "reason": "Mạng của phòng bị chậm"},
    "sittings_hand_over": {
        "kind": "exam-hand-over",
        "version": 1,
        "sitting_id": "5f0f6f0e-7c0b-4a39-9d2b-2f0f6a2f8a01",
        "attempt_id": "5f0f6f0e-7c0b-4a39-9d2b-2f0f6a2f8a02",
        "box": "BGsX0fLhLEJH+Lzm5WOkQPJ3A32BLeszoPShOUXYmMKW",
    },
    "sittings_message": {"text": "Còn 15 phút.", "request": "fifteen-minutes"},
    # results
    "results_score": {"reason": "First scoring", "sittings": []},
    "results_graduate": {"rule_set": "grad_2025"},
    "results_prepare": {"release_at": "2027-07-01T01:00:00Z"},
    "results_score_by_irt": {
        "reason": "Báo cáo theo thang 500",
        "estimator": "eap",
        "scale": {"intercept": 500, "slope": 100, "lowest": 200, "highest": 800, "decimals": 0},
        "sittings": [],
        "is_partial": False,
    },
    # calibration
    "calibration_request_run": {
        "sittings": [],
        "family": "auto",
        "omitted": "wrong",
        "not_reached": "missing",
        "anchors": "none",
        "anchor_items": [],
        "groups_by": "",
    },
    "calibration_accept": {"items": ["HS-001", "HS-004"]},
    "calibration_hold": {"items": ["HS-002"], "reason": "Phương án C hút thí sinh giỏi: xem lại đáp án"},
    "calibration_reopen": {"items": ["HS-001"], "reason": "Đáp án của câu đã đổi"},
    # admission
    "admission_programmes": {"file": "code,name,school,quota,floor\nA1,Lớp 10 THPT A,THPT-A,40,\n"},
    "admission_aspirations": {"file": "candidate_number,rank,programme\n31000001,1,A1\n31000001,2,B1\n"},
    "admission_allocate": {"rules": "intake_2025"},
    "admission_release": {"release_at": "2027-07-10T01:00:00Z"},
}
