"""Published and independently computed matchings: reference/algorithms, through the reader of the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from exam_engine.admission.allocation import Instance, Rules, TieRule, allocate
from exam_engine.admission.instance_files import TIE_RULES, read_problems, result_of, rules_for


def test_classic_instances_give_the_matching_best_for_every_applicant(reference_dir: Path) -> None:
    content = (reference_dir / "algorithms" / "matching_classic.json").read_bytes()
    problems, _ = read_problems(content, "matching_classic.json")
    for problem, case in zip(problems, json.loads(content), strict=True):
        assignment = allocate(problem.instance, Rules()).assignment()
        expected = case["expected"]
        if "applicant_optimal" in expected:
            assert assignment == expected["applicant_optimal"], case["name"]
            assert assignment in expected["all_stable"]
        else:
            assert [int(assignment[str(i)] or -1) for i in range(len(assignment))] == expected["man_optimal"]


def test_with_the_sides_exchanged_the_classic_instances_give_the_other_extreme(reference_dir: Path) -> None:
    case = _classic(reference_dir, "irving_latin_square_4")
    document = json.dumps({"men": case["women"], "women": case["men"]}).encode()
    (problem,), _ = read_problems(document, "exchanged.json")
    assignment = allocate(problem.instance, Rules()).assignment()
    assert [int(assignment[str(i)] or -1) for i in range(4)] == [
        case["expected"]["woman_optimal"].index(i) for i in range(4)
    ]


@pytest.mark.parametrize("ties", ["key", "all", "none"])
def test_score_instances_give_assignment_cut_offs_and_counts(reference_dir: Path, ties: str) -> None:
    content = (reference_dir / "algorithms" / "matching_scores.json").read_bytes()
    problems, is_list = read_problems(content, "matching_scores.json")
    assert is_list
    for problem, case in zip(problems, json.loads(content), strict=True):
        result = result_of(allocate(problem.instance, rules_for(problem, Rules(ties=TIE_RULES[ties]))))
        for name, value in case["expected"][ties].items():
            assert result[name] == value, (case["name"], ties, name)


def test_score_instances_come_out_alike_in_any_order(reference_dir: Path) -> None:
    content = (reference_dir / "algorithms" / "matching_scores.json").read_bytes()
    for problem in read_problems(content, "matching_scores.json")[0]:
        backwards = Instance(problem.instance.programmes[::-1], problem.instance.applicants[::-1])
        rules = rules_for(problem, Rules(ties=TieRule.ASPIRATION_RANK_THEN_ADMIT_ALL))
        assert allocate(backwards, rules).assignment() == allocate(problem.instance, rules).assignment()


def _classic(reference_dir: Path, name: str) -> dict[str, Any]:
    content = (reference_dir / "algorithms" / "matching_classic.json").read_bytes()
    return next(case for case in json.loads(content) if case["name"] == name)
