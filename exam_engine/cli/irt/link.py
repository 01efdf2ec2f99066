"""`irt link`: put the parameters of a new calibration on the scale of an earlier one through common items."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from exam_engine.calibration.files.parameter_files import ParameterFile
from exam_engine.calibration.files.parameter_tables import parameter_csv
from exam_engine.cli.console import emit, emit_table, note, require_ending
from exam_engine.cli.irt.inputs import DryRun, read_items, refusals
from exam_engine.cli.irt.outputs import plain, shown, write_files
from scoring.irt.models import Model
from scoring.linking import AnchorDrift, Linking, LinkingMethod, LinkingPoints, anchor_drift, link, link_without_drift

LOOKED_AT_Z = 1.645


def link_command(
    base: Annotated[Path, typer.Argument(help="Parameter file of the scale that stays.")],
    new: Annotated[Path, typer.Argument(help="Parameter file that is moved to it.")],
    *,
    method: Annotated[LinkingMethod, typer.Option(help="What is made to agree.")] = LinkingMethod.STOCKING_LORD,
    points: Annotated[int, typer.Option(min=5, max=501, help="Where curves are compared: so many points")] = 41,
    limit: Annotated[float, typer.Option(min=1, max=20, help="from -limit to limit, logits,")] = 4.0,
    weights: Annotated[Literal["normal", "equal"], typer.Option(help="with such weights.")] = "normal",
    one_sided: Annotated[bool, typer.Option("--one-sided", help="Compare on the base scale only.")] = False,
    leave_out: Annotated[list[str] | None, typer.Option(help="Common item not to be used. Repeatable.")] = None,
    drop_drift: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Drop common items whose curves differ by more (RMSD).")
    ] = None,
    model: Annotated[Model | None, typer.Option(case_sensitive=False, help="Where the files name none.")] = None,
    out: Annotated[Path | None, typer.Option(help="CSV to write: the new parameters on the base scale.")] = None,
    dry_run: DryRun = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Find theta_base = A theta_new + B from the items both files name, and show how far each of them drifted.

    Example: exam-engine irt link items_2026.csv items_2027.csv --method stocking-lord --out linked.csv
    """
    require_ending(out, (".csv",), "--out")
    if drop_drift is not None and (leave_out or one_sided):
        raise typer.BadParameter("goes with neither --leave-out nor --one-sided", param_hint="--drop-drift")
    at = LinkingPoints(n_points=points, limit=limit, is_normal=weights == "normal")
    with refusals():
        known, moved = read_items(base, model), read_items(new, model)
        dropped: tuple[str, ...] = tuple(leave_out or ())
        if drop_drift is None:
            found = link(known.bank, moved.bank, method, points=at, is_symmetric=not one_sided, leave_out=dropped)
            drift = anchor_drift(known.bank, moved.bank, found.transformation, points=at)
        else:
            pure = link_without_drift(known.bank, moved.bank, method, largest_rmsd=drop_drift, points=at)
            found, dropped, drift = pure.linking, pure.dropped, pure.drift
        contents = [] if out is None else [(out, _moved(moved, found))]
        write_files(contents, is_dry_run=dry_run)
    if as_json:
        emit(_view(found, dropped, drift), as_json=True)
    else:
        _print(found, dropped, drift)


def _moved(new: ParameterFile, found: Linking) -> bytes:
    line = found.transformation
    moments = {
        group: (
            float(line.abilities(mean)),
            float("nan"),
            line.slope**2 * new.variances.get(group, 1.0),
            float("nan"),
        )
        for group, mean in (new.means or {"": 0.0}).items()
    }
    first = [category or 0 for category in new.first_categories]
    return parameter_csv(line.bank(new.bank), first_categories=first, moments=moments)


def _view(found: Linking, dropped: tuple[str, ...], drift: AnchorDrift) -> Any:
    return plain(
        {
            "method": found.method.value,
            "slope": found.transformation.slope,
            "intercept": found.transformation.intercept,
            "criterion": found.criterion,
            "is_symmetric": found.is_symmetric,
            "converged": found.converged,
            "common": found.common,
            "left_out": dropped,
            "drift": [
                {
                    "item": name,
                    "difficulty": drift.difficulty[i],
                    "log_slope": drift.log_slope[i],
                    "robust_z_difficulty": drift.robust_z_difficulty[i],
                    "robust_z_slope": drift.robust_z_slope[i],
                    "rmsd": drift.rmsd[i],
                    "is_used": name in found.common,
                }
                for i, name in enumerate(drift.names)
            ],
        }
    )


def _print(found: Linking, dropped: tuple[str, ...], drift: AnchorDrift) -> None:
    line = found.transformation
    typer.echo(f"A = {line.slope:.6f}, B = {line.intercept:+.6f}  ({found.method.value}, {len(found.common)} items)")
    if not found.converged:
        note("warning: the search for A and B did not converge")
    if dropped:
        note(f"left out: {', '.join(dropped)}")
    rows = []
    for i, name in enumerate(drift.names):
        is_odd = abs(drift.robust_z_difficulty[i]) > LOOKED_AT_Z or abs(drift.robust_z_slope[i]) > LOOKED_AT_Z
        state = "left out" if name not in found.common else "look at it" if is_odd else ""
        rows.append(
            (
                name,
                shown(drift.difficulty[i]),
                shown(drift.robust_z_difficulty[i], 2),
                shown(drift.log_slope[i]),
                shown(drift.robust_z_slope[i], 2),
                shown(drift.rmsd[i]),
                state,
            )
        )
    emit_table(["common item", "b moved", "robust z", "log a", "robust z", "RMSD", ""], rows)
