"""`results irt`: score a closed sitting by item response theory on a reporting scale, beside its raw scores."""

from typing import TYPE_CHECKING, Annotated

import typer

from exam_engine.cli.console import act, emit, run
from exam_engine.cli.result_inputs import acting

if TYPE_CHECKING:
    from exam_engine.results.reporting import IrtRun


def irt_command(
    sitting: Annotated[str, typer.Argument(help="Code of a closed sitting.")],
    *,
    estimator: Annotated[str, typer.Option(help="eap or wle.")] = "eap",
    intercept: Annotated[float, typer.Option(help="Score of ability 0.")] = 500.0,
    slope: Annotated[float, typer.Option(help="Points of the scale for one logit.")] = 100.0,
    lowest: Annotated[float, typer.Option(help="Lowest score reported.")] = 200.0,
    highest: Annotated[float, typer.Option(help="Highest score reported.")] = 800.0,
    decimals: Annotated[int, typer.Option(min=0, max=2, help="Printed decimals; halves are rounded up.")] = 0,
    partial: Annotated[bool, typer.Option("--partial", help="Leave out items without accepted parameters.")] = False,
    reason: Annotated[str, typer.Option(help="Why this run is made; it is kept with it.")] = "first scoring",
    as_person: Annotated[str | None, typer.Option("--as", help="User name of the person who does it.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check and say what would come out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Score every started attempt of a sitting by its items' newest accepted parameters; raw scores stay.

    Example: exam-engine results irt toan-2027 --intercept 500 --slope 100 --as board
    """
    if estimator not in ("eap", "wle"):
        raise typer.BadParameter("eap or wle", param_hint="--estimator")

    async def work() -> "IrtRun":
        from exam_engine.delivery import service as delivery
        from exam_engine.results import service
        from exam_engine.results.reporting import Estimator, IrtOrder
        from scoring.standards import ReportingScale

        async with act(is_dry_run=dry_run) as command:
            found = await delivery.load_sitting(command.session, sitting)
            actor = await acting(command, as_person, "run_scores", found.exam_unit_id)
            order = IrtOrder(
                estimator=Estimator(estimator),
                scale=ReportingScale(
                    intercept=intercept, slope=slope, lowest=lowest, highest=highest, decimals=decimals
                ),
                is_partial=partial,
            )
            return await service.score_by_irt(
                command.session, found.sitting.id, order, actor=actor, now=command.now, reason=reason
            )

    done = run(work())
    verb = "would score" if dry_run else "scored"
    reliability = "" if done.reliability is None else f"; reliability {done.reliability:.3f}"
    emit(
        {
            "id": done.id,
            "number": done.number,
            "estimator": done.estimator,
            "scale": done.scale,
            "parameter_versions": {item.code: item.parameter_version for item in done.items},
            "n_scored": done.n_scored,
            "reliability": done.reliability,
            "input_hash": done.input_hash,
        },
        as_json=as_json,
        text=f"IRT run {done.number} {verb} {done.n_scored} attempts by {len(done.items)} items{reliability}",
    )
