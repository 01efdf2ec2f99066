"""Words of pages that stand for the engine's own names: roles, acts of the audit log, ways to compare."""

from collections.abc import Mapping

from exam_engine.identity.permissions import Role
from exam_engine.infra.i18n import N_

ROLES: Mapping[Role, str] = {
    Role.AUTHOR: N_("Author"),
    Role.REVIEWER: N_("Reviewer"),
    Role.TEST_DEVELOPER: N_("Test developer"),
    Role.INVIGILATOR: N_("Invigilator"),
    Role.MARKER: N_("Marker"),
    Role.PSYCHOMETRICIAN: N_("Psychometrician"),
    Role.BOARD: N_("Exam board"),
    Role.ADMISSION_OFFICER: N_("Admission officer"),
    Role.ADMINISTRATOR: N_("Administrator"),
}

COMPARES: Mapping[str, str] = {
    "": N_("as the item type says"),
    "numeric": N_("by value: 0,5 is 0,50"),
    "literal": N_("character by character"),
}

ACTIONS: Mapping[str, str] = {
    "person.sign_in": N_("signed in"),
    "person.lock": N_("locked after failed tries"),
    "person.create": N_("created a person"),
    "person.import": N_("imported people"),
    "person.set_password": N_("set a password"),
    "person.grant": N_("granted a role"),
    "person.end_grant": N_("ended a role"),
    "unit.import": N_("imported units"),
    "bank.create": N_("created a bank"),
    "item.import": N_("imported items"),
    "item.export": N_("exported items"),
    "item.create": N_("wrote an item"),
    "item.update": N_("changed an item"),
    "item.submit": N_("handed items in"),
    "item.approve": N_("approved items"),
    "item.return": N_("sent an item back"),
    "item.retire": N_("retired an item"),
    "blueprint.save": N_("saved a blueprint"),
    "form.assemble": N_("assembled a form"),
    "form.seal": N_("sealed a form"),
    "form.change_key": N_("changed a key"),
    "exam.create": N_("created an exam"),
    "exam.add_subject": N_("added a subject"),
    "exam.set_state": N_("changed the state of an exam"),
    "exam.set_codes_until": N_("set how long codes hold"),
    "exam.number": N_("gave candidate numbers"),
    "exam.seat": N_("gave rooms and seats"),
    "exam.print_cards": N_("printed candidate cards"),
    "exam.import_candidates": N_("imported candidates"),
    "candidate.reissue_codes": N_("gave new codes"),
    "exam.import_marks": N_("imported marks"),
    "sitting.plan": N_("planned a sitting"),
    "sitting.open": N_("opened a sitting"),
    "sitting.close": N_("closed a sitting"),
    "sitting.extend": N_("gave extra time"),
    "sitting.message": N_("sent a message to seats"),
    "mark.record": N_("recorded a mark"),
    "violation.record": N_("recorded a violation"),
    "score_run.create": N_("computed scores"),
    "irt_run.create": N_("computed scores by item response theory"),
    "calibration.request": N_("asked for a calibration"),
    "calibration.complete": N_("completed a calibration"),
    "calibration.cancel": N_("stopped a calibration"),
    "calibration.accept": N_("accepted item parameters"),
    "calibration.hold": N_("held item parameters"),
    "calibration.reopen": N_("took a decision on item parameters back"),
    "graduation_run.create": N_("computed graduation scores"),
    "release.prepare": N_("prepared a release"),
    "release.approve": N_("approved a release"),
    "release.withdraw": N_("withdrew a release"),
    "admission.import_programmes": N_("imported programmes"),
    "admission.import_aspirations": N_("imported aspirations"),
    "admission.run": N_("allocated places"),
    "admission.release": N_("made decisions public"),
    "admission.withdraw": N_("withdrew decisions"),
}
"""By the audit log's code; an act that is not here shows its code alone."""
