"""The `irt` noun: its verbs, each in a file of its own."""

import typer

from exam_engine.cli.irt.calibrate import calibrate_command
from exam_engine.cli.irt.dif import dif_command
from exam_engine.cli.irt.fit import fit_command
from exam_engine.cli.irt.link import link_command
from exam_engine.cli.irt.score import score_command
from exam_engine.cli.irt.simulate import simulate_command

app = typer.Typer(help="Item response theory on files; docs/formats/irt.md describes them.", no_args_is_help=True)
app.command("calibrate")(calibrate_command)
app.command("score")(score_command)
app.command("fit")(fit_command)
app.command("link")(link_command)
app.command("dif")(dif_command)
app.command("simulate")(simulate_command)
