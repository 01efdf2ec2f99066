"""Who may do what: roles, permissions and the one table between them.

A role is granted on an organisation unit and holds below it; nothing here knows units.
"""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What somebody is trusted with on a unit."""

    AUTHOR = "author"
    REVIEWER = "reviewer"
    TEST_DEVELOPER = "test_developer"
    INVIGILATOR = "invigilator"
    MARKER = "marker"
    PSYCHOMETRICIAN = "psychometrician"
    BOARD = "board"
    ADMISSION_OFFICER = "admission_officer"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """One kind of act; controllers and services ask for exactly one."""

    READ_ITEMS = "read_items"  # with their keys: items are the bank's secret as a whole
    WRITE_ITEMS = "write_items"  # create, edit, import, submit
    REVIEW_ITEMS = "review_items"  # approve or return; never one's own
    READ_FORMS = "read_forms"  # blueprints, forms, paper codes; keyless
    WRITE_FORMS = "write_forms"  # blueprints, assembly of a draft
    SEAL_FORMS = "seal_forms"
    READ_KEYS = "read_keys"
    CHANGE_KEYS = "change_keys"
    READ_EXAMS = "read_exams"  # exams, candidates, seats
    MANAGE_EXAMS = "manage_exams"  # exams, candidates, marks files, rooms, candidate cards
    MANAGE_SITTINGS = "manage_sittings"  # plan, open, close
    WATCH_ROOMS = "watch_rooms"  # room boards
    INVIGILATE = "invigilate"  # messages, extra time for a candidate, seat changes
    EXTEND_SITTINGS = "extend_sittings"  # extra time for a room or all
    MARK_ESSAYS = "mark_essays"
    READ_STATISTICS = "read_statistics"
    CALIBRATE_ITEMS = "calibrate_items"  # run calibrations, accept and hold item parameters
    RUN_SCORES = "run_scores"  # score and graduation runs
    READ_RESULTS = "read_results"  # before release
    RELEASE_RESULTS = "release_results"
    MANAGE_ADMISSION = "manage_admission"  # programmes, aspirations, allocation runs
    RELEASE_ADMISSION = "release_admission"
    MANAGE_UNITS = "manage_units"
    MANAGE_PEOPLE = "manage_people"  # people and their role grants
    READ_AUDIT = "read_audit"


PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.AUTHOR: frozenset({Permission.READ_ITEMS, Permission.WRITE_ITEMS}),
    Role.REVIEWER: frozenset({Permission.READ_ITEMS, Permission.REVIEW_ITEMS}),
    Role.TEST_DEVELOPER: frozenset(
        {
            Permission.READ_ITEMS,
            Permission.READ_FORMS,
            Permission.WRITE_FORMS,
            Permission.READ_KEYS,
            Permission.READ_STATISTICS,
        }
    ),
    Role.INVIGILATOR: frozenset({Permission.READ_EXAMS, Permission.WATCH_ROOMS, Permission.INVIGILATE}),
    Role.MARKER: frozenset({Permission.MARK_ESSAYS}),
    Role.PSYCHOMETRICIAN: frozenset(
        {Permission.READ_ITEMS, Permission.READ_FORMS, Permission.READ_STATISTICS, Permission.CALIBRATE_ITEMS}
    ),
    Role.BOARD: frozenset(
        {
            Permission.READ_FORMS,
            Permission.SEAL_FORMS,
            Permission.READ_KEYS,
            Permission.CHANGE_KEYS,
            Permission.READ_EXAMS,
            Permission.MANAGE_EXAMS,
            Permission.MANAGE_SITTINGS,
            Permission.WATCH_ROOMS,
            Permission.INVIGILATE,
            Permission.EXTEND_SITTINGS,
            Permission.READ_STATISTICS,
            Permission.RUN_SCORES,
            Permission.READ_RESULTS,
            Permission.RELEASE_RESULTS,
            Permission.READ_AUDIT,
        }
    ),
    Role.ADMISSION_OFFICER: frozenset(
        {
            Permission.READ_EXAMS,
            Permission.READ_RESULTS,
            Permission.MANAGE_ADMISSION,
            Permission.RELEASE_ADMISSION,
        }
    ),
    # Runs the machine and the people, and for that reason sees neither items, keys nor unreleased results.
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.READ_EXAMS,
            Permission.MANAGE_UNITS,
            Permission.MANAGE_PEOPLE,
            Permission.READ_AUDIT,
        }
    ),
}


def permits(role: Role, permission: Permission) -> bool:
    """Tell whether a role carries a permission."""
    return permission in PERMISSIONS[role]


def roles_with(permission: Permission) -> frozenset[Role]:
    """Return the roles that carry a permission."""
    return frozenset(role for role, held in PERMISSIONS.items() if permission in held)
