"""The sample files pass the product's own readers and checks without a single remark."""

import msgspec
import pytest

from exam_engine.authoring.packages import SourceFile, read_package
from exam_engine.enrolment.model import ExamPlan
from exam_engine.sample import data_files
from exam_engine.sample.packages import bank_package
from item_bank.checks.bank import Surroundings, check_items, check_stimulus
from item_bank.interchange import rows
from item_bank.interchange.gift import GiftDefaults
from item_bank.model.interactions import Option, SingleChoice
from item_bank.model.item import Item, Stimulus
from scoring.graduation.rules import load_rules

STORED = "/media/" + "0" * 64 + ".svg"


def read_bank(bank: str) -> tuple[rows.ReadItems, tuple[Stimulus, ...], frozenset[str]]:
    language = "en" if bank == "tieng-anh-9" else "vi"
    table = data_files.read_rows(f"{bank}/items.csv")
    figures = {row["figure"]: STORED for row in table if row["figure"]}
    read = rows.read_items(enumerate(table, start=2), file=bank, figures=figures, language=language)
    topics = rows.read_topics(enumerate(data_files.read_rows(f"{bank}/topics.csv"), start=2))
    assert not topics.findings
    stimuli: tuple[Stimulus, ...] = ()
    if any(row["stimulus"] for row in table):
        passages = rows.read_stimuli(enumerate(data_files.read_rows(f"{bank}/stimuli.csv"), start=2), language=language)
        assert not passages.findings
        stimuli = passages.stimuli
    return read, stimuli, frozenset(topic.code for topic in topics.topics)


@pytest.mark.parametrize("bank", data_files.BANKS)
def test_every_item_is_read_and_nothing_is_remarked(bank: str) -> None:
    read, stimuli, topics = read_bank(bank)
    surroundings = Surroundings(topics=topics, stimuli=frozenset(stimulus.code for stimulus in stimuli))
    assert not read.findings
    assert not check_items(read.items, surroundings, read.places)
    assert not [finding for stimulus in stimuli for finding in check_stimulus(stimulus)]
    assert len(read.items) == len(data_files.read_rows(f"{bank}/items.csv"))


def test_error_finding_options_keep_the_order_of_the_sentence() -> None:
    read, _, _ = read_bank("tieng-anh-9")
    hunted = [item for item in read.items if item.topic == "tim-loi"]
    assert hunted
    for item in hunted:
        options = options_of(item)
        assert all(option.pinned for option in options)
        places = [item.stem.index(f"<u>{option.content}</u>") for option in options]
        assert places == sorted(places)


def options_of(item: Item) -> tuple[Option, ...]:
    assert isinstance(item.interaction, SingleChoice)
    return item.interaction.options


def test_the_plans_of_the_exams_are_read_and_name_what_is_there() -> None:
    units = {row["code"] for row in data_files.read_rows("units.csv")}
    for code in ("thi-thu-tn-2027", "vao-10-2027", "lam-quen-2027"):
        plan = data_files.read_json(f"exams/{code}.json", ExamPlan)
        assert plan.code == code
        assert plan.unit in units
        assert any(subject.mode == "online" for subject in plan.subjects)
        if plan.rule_set is not None:
            assert load_rules(plan.rule_set).id == plan.rule_set


def test_the_gift_file_holds_the_same_items_as_the_table() -> None:
    package = bank_package("toan-12", "vi")
    table = read_package(package)
    gift = SourceFile("single_choice.gift", data_files.read_bytes("toan-12/single_choice.gift"))
    read = read_package(msgspec.structs.replace(package, items=gift, gift=GiftDefaults()))
    assert not read.findings
    assert read.items == tuple(item for item in table.items if isinstance(item.interaction, SingleChoice))
