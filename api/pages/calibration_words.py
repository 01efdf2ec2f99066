"""Words of the calibration pages for the engine's own names: models, stages, states, decisions."""

from collections.abc import Mapping

from exam_engine.calibration.choices import AnchorUse, Blank, ModelFamily
from exam_engine.calibration.model import Decision, RunState, Stage
from exam_engine.infra.i18n import N_

STATES: Mapping[RunState, str] = {
    RunState.WAITING: N_("waiting"),
    RunState.RUNNING: N_("running"),
    RunState.COMPLETE: N_("complete"),
    RunState.REFUSED: N_("refused"),
    RunState.CANCELLED: N_("stopped"),
}

STAGES: Mapping[Stage, str] = {
    Stage.WAITING: N_("Waiting for a worker"),
    Stage.GATHERING: N_("Reading the responses"),
    Stage.FITTING: N_("Estimating the parameters"),
    Stage.JUDGING: N_("Judging the items"),
    Stage.WRITING: N_("Writing the results"),
    Stage.DONE: N_("Done"),
}

FAMILIES: Mapping[ModelFamily, str] = {
    ModelFamily.AUTO: N_("What the sample can carry"),
    ModelFamily.RASCH: N_("Rasch and partial credit"),
    ModelFamily.TWO_PL: N_("2PL and generalised partial credit"),
    ModelFamily.THREE_PL: N_("3PL where options can be guessed, else 2PL"),
}

MODELS: Mapping[str, str] = {
    "rasch": "Rasch",
    "1pl": "1PL",
    "2pl": "2PL",
    "3pl": "3PL",
    "4pl": "4PL",
    "graded": "GRM",
    "gpcm": "GPCM",
    "pcm": "PCM",
    "nominal": "NRM",
}

DECISIONS: Mapping[Decision, str] = {
    Decision.OPEN: N_("undecided"),
    Decision.ACCEPTED: N_("accepted"),
    Decision.HELD: N_("held"),
}

ANCHORS: Mapping[AnchorUse, str] = {
    AnchorUse.NONE: N_("A scale of its own"),
    AnchorUse.FIXED: N_("Fixed: accepted parameters stay, the others are placed beside them"),
    AnchorUse.LINKED: N_("Linked afterwards (Stocking and Lord), drift shown"),
}

BLANKS: Mapping[Blank, str] = {Blank.WRONG: N_("wrong"), Blank.MISSING: N_("missing, left out")}

GROUPS: Mapping[str, str] = {"school": N_("School"), "gender": N_("Gender"), "gioi_tinh": N_("Gender")}
"""Attributes people name alike everywhere; any other shows its own name."""

SCALES: Mapping[str, str] = {
    "own": N_("scale of its own"),
    "fixed": N_("by fixed anchors"),
    "linked": N_("linked to earlier items"),
}
