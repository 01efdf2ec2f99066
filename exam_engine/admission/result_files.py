"""Results of an allocation as tables: one line for each applicant with the reasons, one for each programme."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from exam_engine.admission.allocation import Allocation
from exam_engine.admission.explanations import reason_text
from exam_engine.admission.model import RunOutcome
from exam_engine.infra.i18n import translator
from exam_engine.infra.sheets import Lines


def result_lines(allocation: Allocation, language: str, *, has_reasons: bool = True) -> Lines:
    """Return a line for each applicant: number, programme, rank, and for every rank the decision in words."""
    titles = ("candidate_number", "programme", "rank", "decision", "explanation")
    return titles, _applicant_lines(allocation, language, has_reasons=has_reasons)


def cut_off_lines(allocation: Allocation) -> Lines:
    """Return a line for each programme: places, admitted, cut-off, what each rank needed, the last of a list."""
    ranks = max((len(p.required) for p in allocation.programmes), default=0)
    differing = [r for r in range(2, ranks + 1) if any(_differs(p.required, r) for p in allocation.programmes)]
    has_lists = any(p.last_admitted is not None for p in allocation.programmes)
    titles = ["programme", "quota", "admitted", "cut_off", *(f"needed_at_rank_{r}" for r in differing)]
    lines = []
    for p in allocation.programmes:
        needed = [points(p.required[r - 1]) if p.required else "" for r in differing]
        lines.append(
            [p.code, p.quota, p.admitted, points(p.cut_off), *needed, *([p.last_admitted] if has_lists else [])]
        )
    titles += ["last_admitted"] if has_lists else []
    return titles, lines


def outcome_lines(outcomes: Iterable[RunOutcome], language: str) -> Lines:
    """Return a line for each applicant of a stored run, with name and score."""
    translate = translator(language)
    titles = ("candidate_number", "full_name", "score", "programme", "rank", "decision", "explanation")
    lines = (
        (
            o.number,
            o.full_name,
            points(o.score),
            o.programme,
            o.rank,
            "admitted" if o.programme is not None else "not_admitted",
            "\n".join(f"{r.rank}. {r.programme}: {reason_text(r, translate, language)}" for r in o.reasons),
        )
        for o in outcomes
    )
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
