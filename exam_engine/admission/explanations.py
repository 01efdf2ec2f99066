"""The sentences that explain a decision: message ids per reason, filled with the numbers that decided."""

from collections.abc import Mapping

from exam_engine.admission.allocation import Reason, ReasonCode
from exam_engine.infra.i18n import N_, Translator, format_hundredths

REASONS: Mapping[ReasonCode, str] = {
    ReasonCode.ADMITTED: N_("Admitted with {score}; {required} was needed at this rank"),
    ReasonCode.BELOW_CUT_OFF: N_("Not admitted: {score} is below {required}, the score needed at this rank"),
    ReasonCode.BELOW_FLOOR: N_("Not admitted: {score} is below the floor of {floor}"),
    ReasonCode.TIED_GROUP_REFUSED: N_(
        "Not admitted: {group_size} applicants stood level at {level}, more than the free places ({places}); "
        "by the rules such a group is refused as a whole"
    ),
    ReasonCode.LOST_ON_SUB_CRITERIA: N_(
        "Not admitted: level with the last one admitted at {cut_off}, but behind by the sub-criterion “{criterion}”"
    ),
    ReasonCode.LOWER_PRIORITY: N_(
        "Not admitted: place {place} on the list of the programme; the last admitted had {last_place}"
    ),
    ReasonCode.NOT_RANKED: N_("Not admitted: not on the list of the programme"),
    ReasonCode.NO_PLACES: N_("Not admitted: the programme has no places"),
    ReasonCode.NOT_ELIGIBLE: N_("Not considered: {cause}"),
    ReasonCode.HIGHER_ASPIRATION: N_("Not needed: aspiration {obtained_rank} was granted"),
    ReasonCode.EARLIER_STAGE: N_("Not considered: admitted in an earlier stage by aspiration {obtained_rank}"),
}
ADMITTED_FREELY = N_("Admitted with {score}; nobody had to be refused here")
ADMITTED_BY_LIST = N_("Admitted from place {place} on the list of the programme")
NEEDED_ABOVE_CUT_OFF = N_(" (cut-off {cut_off}, raised by the rule for lower ranks)")

CAUSES: Mapping[str, str] = {
    "paper_missing": N_("there is no mark in {subject}"),
    "paper_absent": N_("absent from {subject}"),
    "paper_too_low": N_("{subject} is not above {limit}"),
    "results_cancelled": N_("the results were cancelled"),
}
"""Why an applicant was not eligible; `cause` is "code" or "code:subject" or "code:subject:limit in hundredths"."""

CRITERIA: Mapping[str, str] = {"aspiration_rank": N_("rank of the aspiration"), "tie": N_("order number")}

_SCORES = ("score", "required", "cut_off", "floor", "level")


def reason_text(reason: Reason, translate: Translator, language: str) -> str:
    """Say in the reader's language why an aspiration was granted or not."""
    facts: dict[str, object] = {
        name: getattr(reason, name)
        for name in reason.__struct_fields__
        if name not in {"code", "programme"} and getattr(reason, name) is not None
    }
    for name in _SCORES:
        if name in facts:
            facts[name] = format_hundredths(getattr(reason, name), language)
    if reason.criterion is not None:
        facts["criterion"] = translate(CRITERIA.get(reason.criterion, reason.criterion))
    if reason.cause is not None:
        facts["cause"] = cause_text(reason.cause, translate, language)
    text = translate(_message(reason), **facts)
    if reason.required is not None and reason.cut_off is not None and reason.required != reason.cut_off:
        text += translate(NEEDED_ABOVE_CUT_OFF, cut_off=facts["cut_off"])
    return text


def cause_text(cause: str, translate: Translator, language: str) -> str:
    """Say why an applicant was not eligible."""
    code, _, rest = cause.partition(":")
    subject, _, limit = rest.partition(":")
    message = CAUSES.get(code)
    if message is None:
        return cause
    return translate(message, subject=subject, limit=format_hundredths(int(limit), language) if limit else "")


def _message(reason: Reason) -> str:
    if reason.code is ReasonCode.ADMITTED and reason.place is not None:
        return ADMITTED_BY_LIST
    if reason.code is ReasonCode.ADMITTED and reason.required is None:
        return ADMITTED_FREELY
    return REASONS[reason.code]
