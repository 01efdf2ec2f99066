"""The invented candidates: the same for a seed, with marks like the country's, tied to their ability."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from exam_engine.infra.vietnamese import name_sort_key
from exam_engine.sample import data_files, files, marks, true_items
from exam_engine.sample.population import Population, grade_10_intake, mock_graduation, practice
from scoring.graduation import compute, load_rules, read_record


@pytest.fixture(scope="module")
def many() -> Population:
    return mock_graduation(3000, seed=5)


def marks_of(population: Population, subject: str) -> tuple[Sequence[float], Sequence[float]]:
    pairs = [
        (float(one.marks[subject].replace(",", ".")), one.theta)
        for one in population.candidates
        if one.marks.get(subject, "V") != "V"
    ]
    reached, abilities = zip(*pairs, strict=True)
    return reached, abilities


def test_a_seed_gives_the_same_candidates_and_another_one_others() -> None:
    assert mock_graduation(60, seed=3) == mock_graduation(60, seed=3)
    assert grade_10_intake(60, seed=3) == grade_10_intake(60, seed=3)
    assert mock_graduation(60, seed=3) != mock_graduation(60, seed=4)


def test_the_sample_exams_have_the_promised_numbers_of_candidates() -> None:
    assert len(mock_graduation().candidates) == 200
    assert len(grade_10_intake().candidates) == 100


def test_candidate_numbers_are_unique_and_follow_the_order_of_names() -> None:
    for population in (mock_graduation(), grade_10_intake(), practice()):
        numbers = [one.number for one in population.candidates]
        keys = [name_sort_key(one.full_name) for one in population.candidates]
        assert len(set(numbers)) == len(numbers)
        assert numbers == sorted(numbers)
        assert keys == sorted(keys)


def test_graduation_numbers_have_eight_digits_and_begin_with_the_province() -> None:
    assert all(re.fullmatch("31[0-9]{6}", one.number) for one in mock_graduation().candidates)


def test_schools_are_units_of_the_sample_province() -> None:
    units = {row["code"] for row in data_files.read_rows("units.csv")}
    for population in (mock_graduation(), grade_10_intake()):
        assert {one.school for one in population.candidates} <= units


def test_the_tree_has_branches_of_different_depth() -> None:
    parents = {row["code"]: row["parent"] for row in data_files.read_rows("units.csv")}

    def depth(code: str) -> int:
        return 0 if not parents[code] else 1 + depth(parents[code])

    assert depth("THPT-D") == depth("THPT-A") + 1


def test_everybody_has_two_electives_unless_exempt_from_the_language() -> None:
    for one in mock_graduation(400, seed=8).candidates:
        electives = set(one.subjects) - {"TOAN", "VAN"}
        assert one.subjects[:2] == ("TOAN", "VAN")
        assert len(electives) == (1 if one.attributes.get("exempt") == "NN" else 2)
        assert set(one.marks) == electives | {"VAN"}


@pytest.mark.parametrize("subject", ["VAN", "LI", "HOA", "SU", "DIA", "KTPL", "NN"])
def test_marks_have_the_mean_spread_and_step_of_the_country(many: Population, subject: str) -> None:
    known = marks.load_statistics().subjects[subject]
    reached, _ = marks_of(many, subject)
    assert np.mean(reached) == pytest.approx(known.mean, abs=0.2)
    assert np.std(reached) == pytest.approx(known.sd, abs=0.15)
    steps = np.array(reached) / float(known.step)
    assert np.allclose(steps, np.round(steps))
    assert all(0.0 <= mark <= 10.0 for mark in reached)


def test_the_abler_have_higher_marks(many: Population) -> None:
    for subject in ("VAN", "LI", "SU"):
        reached, abilities = marks_of(many, subject)
        assert np.corrcoef(reached, abilities)[0, 1] > 0.3


def test_abilities_are_standard_normal(many: Population) -> None:
    abilities = list(many.abilities.values())
    assert np.mean(abilities) == pytest.approx(0.0, abs=0.08)
    assert np.std(abilities) == pytest.approx(1.0, abs=0.06)


def test_a_mark_grows_with_its_latent_value() -> None:
    reached = [marks.mark_at(z, "TOAN") for z in np.linspace(-4.0, 4.0, 60)]
    assert reached == sorted(reached)
    assert reached[0] < 2 < 9 < reached[-1]


def test_the_copula_is_positive_definite_for_every_pair_of_electives() -> None:
    for pair in marks.load_statistics().elective_pairs:
        assert np.linalg.eigvalsh(marks.copula_matrix(("TOAN", "VAN", *pair.electives)))[0] > 0.0


def test_applicants_rank_two_to_four_different_schools_and_the_strong_aim_high() -> None:
    applicants = grade_10_intake(1000, seed=6).candidates
    programmes = {row["code"] for row in data_files.read_rows("exams/vao-10-2027-programmes.csv")}
    assert all(2 <= len(set(one.aspirations)) == len(one.aspirations) <= 4 for one in applicants)
    assert {code for one in applicants for code in one.aspirations} == programmes
    strong = Counter(one.aspirations[0] for one in applicants if one.theta > 1.0)
    weak = Counter(one.aspirations[0] for one in applicants if one.theta < -1.0)
    assert strong["THPT-A"] > strong["THPT-D"]
    assert weak["THPT-D"] > weak["THPT-A"]


def test_graduation_records_are_readable_and_most_candidates_pass(many: Population) -> None:
    rules = load_rules("grad_2025")
    outcomes = Counter(
        compute(
            read_record(
                {**one.attributes, **one.marks, "TOAN": str(marks.mark_at(one.theta, "TOAN"))},
                rules,
            ),
            rules,
        ).passed
        for one in many.candidates
    )
    assert 0.9 <= outcomes[True] / len(many.candidates) <= 0.99
    assert outcomes[False]
    assert outcomes[None]  # somebody was absent from a paper


def test_names_are_of_several_peoples_and_lengths() -> None:
    names = [one.full_name for one in mock_graduation(1500, seed=2).candidates]
    lengths = Counter(len(name.split()) for name in names)
    assert {1, 2, 3, 4} <= set(lengths)
    assert lengths.most_common(1)[0][0] == 3
    assert any("'" in name for name in names)
    families = Counter(name.split()[0] for name in names)
    assert 0.3 <= families["Nguyễn"] / len(names) <= 0.45


def test_no_file_carries_the_true_ability(tmp_path: Path) -> None:
    for population in (mock_graduation(30), grade_10_intake(30), practice(5)):
        for path in files.write_population(population, tmp_path):
            content = path.read_text("utf-8-sig")
            assert "theta" not in content
            assert all(repr(one.theta) not in content for one in population.candidates)


def test_the_written_files_say_the_same_as_the_population(tmp_path: Path) -> None:
    population = grade_10_intake(40, seed=9)
    written = {path.name: path for path in files.write_population(population, tmp_path)}
    assert set(written) == {"candidates.csv", "marks.csv", "aspirations.csv"}
    rows = list(csv.DictReader(io.StringIO(written["candidates.csv"].read_text("utf-8-sig"), newline="")))
    assert [row["candidate_number"] for row in rows] == [one.number for one in population.candidates]
    assert all(re.fullmatch(r"\d\d/\d\d/\d{4}", row["date_of_birth"]) for row in rows)
    wishes = list(csv.DictReader(io.StringIO(written["aspirations.csv"].read_text("utf-8-sig"), newline="")))
    assert len(wishes) == sum(len(one.aspirations) for one in population.candidates)


def test_true_parameters_depend_on_seed_and_code_alone() -> None:
    codes = [row["code"] for row in data_files.read_rows("toan-12/items.csv")]
    drawn = true_items.true_parameters(codes, seed=1)
    assert true_items.true_parameters(codes[::-1], seed=1) == drawn
    assert true_items.true_parameters(codes, seed=2) != drawn
    assert true_items.true_parameters(codes[:1], seed=1)[codes[0]] == drawn[codes[0]]


def test_true_difficulty_rises_with_the_level_and_only_choices_can_be_guessed() -> None:
    rows = data_files.read_rows("toan-12/items.csv")
    drawn = true_items.true_parameters([row["code"] for row in rows], seed=1)
    means = [
        np.mean([drawn[row["code"]].b for row in rows if row["level"] == level])
        for level in ("know", "understand", "apply")
    ]
    assert means == sorted(means)
    assert {drawn[row["code"]].c for row in rows if row["kind"] == "single_choice"} == {0.2}
    assert {drawn[row["code"]].c for row in rows if row["kind"] != "single_choice"} == {0.0}
    assert all(parameters.a > 0.0 for parameters in drawn.values())
