"""What the sample consists of, as its file says: banks, forms, exams, sittings."""

import msgspec

from exam_engine.sample import data_files


class SampleBank(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bank whose files lie in a folder of its code."""

    code: str
    name: str
    subject_code: str
    grade: int
    language: str


class SampleForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A form, assembled from a blueprint with a seed."""

    code: str
    bank: str
    blueprint: str
    blueprint_name: str
    seed: int
    paper_codes: int


class SampleExam(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An exam, described by `exams/<code>.json`, with its rooms at one site."""

    code: str
    site: str
    room_prefix: str
    programmes: str | None = None  # file of the offers of places


class SampleSitting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sitting that begins when the sample is loaded and may be entered for some days."""

    code: str
    name: str
    exam: str
    subject: str
    form: str
    seed: int
    days: int
    is_open: bool


class SamplePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole sample."""

    banks: tuple[SampleBank, ...]
    forms: tuple[SampleForm, ...]
    exams: tuple[SampleExam, ...]
    sittings: tuple[SampleSitting, ...]


def load_plan() -> SamplePlan:
    """Read the plan of the sample province."""
    return data_files.read_json("sample.json", SamplePlan)
