"""What a member of staff finds in the navigation: only what their permissions open."""

from collections.abc import Sequence

import msgspec

from exam_engine.identity.model import Person
from exam_engine.identity.permissions import Permission
from exam_engine.infra.i18n import N_


class Link(msgspec.Struct, frozen=True):
    """One entry; shown to who holds any of the permissions."""

    href: str
    title: str  # message id
    purpose: str  # message id: what one does there
    permissions: tuple[Permission, ...]


class Group(msgspec.Struct, frozen=True):
    """Entries under a title."""

    title: str  # message id
    links: tuple[Link, ...]


NAVIGATION: Sequence[Group] = (
    Group(
        N_("Bank"),
        (
            Link("/staff/items", N_("Items"), N_("Write, import, review and find items."), (Permission.READ_ITEMS,)),
            Link(
                "/staff/blueprints",
                N_("Blueprints"),
                N_("Say what a form must satisfy, and assemble one."),
                (Permission.READ_FORMS,),
            ),
            Link(
                "/staff/forms",
                N_("Forms and paper codes"),
                N_("Seal forms, print papers and keys."),
                (Permission.READ_FORMS,),
            ),
        ),
    ),
    Group(
        N_("Exam"),
        (
            Link(
                "/staff/exams",
                N_("Exams and candidates"),
                N_("Candidate lists, numbers, rooms, cards, marks files."),
                (Permission.READ_EXAMS,),
            ),
            Link(
                "/staff/sittings",
                N_("Sittings and rooms"),
                N_("Open and close sittings, watch rooms, give extra time."),
                (Permission.WATCH_ROOMS, Permission.MANAGE_SITTINGS),
            ),
            Link(
                "/staff/marking",
                N_("Marking"),
                N_("Mark essays by their rubric, without names."),
                (Permission.MARK_ESSAYS,),
            ),
        ),
    ),
    Group(
        N_("After the exam"),
        (
            Link(
                "/staff/results",
                N_("Scores and release"),
                N_("Compute scores, compare runs, publish."),
                (Permission.RUN_SCORES, Permission.READ_RESULTS),
            ),
            Link(
                "/staff/calibration",
                N_("Calibration"),
                N_("Estimate item parameters from answers, judge and accept them."),
                (Permission.READ_STATISTICS,),
            ),
            Link(
                "/staff/admission",
                N_("Admission"),
                N_("Quotas, aspirations, cut-offs and decisions."),
                (Permission.MANAGE_ADMISSION,),
            ),
        ),
    ),
    Group(
        N_("House"),
        (
            Link(
                "/staff/people", N_("People and roles"), N_("Who may do what, and where."), (Permission.MANAGE_PEOPLE,)
            ),
            Link(
                "/staff/audit",
                N_("Audit log"),
                N_("Everything that was done, by whom and when."),
                (Permission.READ_AUDIT,),
            ),
        ),
    ),
)


def navigation_for(person: Person) -> list[Group]:
    """Return the groups and links a person may open."""
    groups = []
    for group in NAVIGATION:
        links = tuple(link for link in group.links if any(person.may_somewhere(p) for p in link.permissions))
        if links:
            groups.append(Group(group.title, links))
    return groups
