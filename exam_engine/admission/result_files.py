"""Results of an allocation as tables: one line for each applicant with the reasons, one for each programme."""

from collections.abc import Iterator
from decimal import Decimal

from exam_engine.admission.allocation import Allocation
from exam_engine.admission.explanations import reason_text
from exam_engine.infra.i18n import translator
from exam_engine.infra.sheets import Lines


def result_lines(allocation: Allocation, language: str, *, has_reasons: bool = True) -> Lines:
    """Return a line for each applicant: number, programme, rank, and for every rank the decision in words."""
    titles = ("candidate_number", "programme", "rank", "decision", "explanation")
    return titles, _applicant_lines(allocation, language, has_reasons=has_reasons)


def cut_off_lines(allocation: Allocation) -> Lines:
    """Return a line for each programme: places, admitted, cut-off, and what each further rank needed."""
    ranks = max((len(p.required) for p in allocation.programmes), default=0)
    differing = [r for r in range(2, ranks + 1) if any(_differs(p.required, r) for p in allocation.programmes)]
    titles = ("programme", "quota", "admitted", "cut_off", *(f"needed_at_rank_{r}" for r in differing))
    lines = [
        (
            p.code,
            p.quota,
            p.admitted,
            points(p.cut_off),
            *(points(p.required[r - 1]) if p.required else "" for r in differing),
        )
        for p in allocation.programmes
    ]
    return titles, lines


def points(hundredths: int | None) -> str:
    """Return a score as files have it: "7.25", or nothing."""
    return "" if hundredths is None else f"{Decimal(hundredths).scaleb(-2):.2f}"


def _applicant_lines(allocation: Allocation, language: str, *, has_reasons: bool) -> Iterator[tuple[object, ...]]:
    translate = translator(language)
    for outcome in allocation.outcomes():
        decision = "admitted" if outcome.programme is not None else "not_admitted"
        texts = [f"{r.rank}. {r.programme}: {reason_text(r, translate, language)}" for r in outcome.reasons]
        explanation = "\n".join(texts) if has_reasons else ""
        yield outcome.applicant, outcome.programme, outcome.rank, decision, explanation


def _differs(required: tuple[int, ...], rank: int) -> bool:
    return bool(required) and required[rank - 1] != required[rank - 2]
