"""The score an applicant competes with, by rules that are data."""

from decimal import Decimal

import pytest

from exam_engine.admission.errors import IntakeRulesUnknown
from exam_engine.admission.intake_rules import known_intake_rules, load_intake_rules
from exam_engine.admission.scores import ApplicantScore, AttributeUnknown, LineKind, Paper, score

SUBJECTS = ("TOAN", "VAN", "ANH")
MARKS = {"TOAN": Paper(725), "VAN": Paper(650), "ANH": Paper(900)}


def compute(rules_name: str, papers: dict[str, Paper], programme: str = "P", **attributes: str) -> ApplicantScore:
    rules = load_intake_rules(rules_name)
    subjects = tuple(dict.fromkeys((*SUBJECTS, *papers)))
    return score(rules, rules.papers.for_programme(programme, subjects), papers, attributes)


def test_from_2025_papers_are_added_plainly() -> None:
    found = compute("intake_2025", MARKS)
    assert found.hundredths == 2275
    assert [(line.kind, line.name, line.points) for line in found.lines] == [
        (LineKind.PAPER, "TOAN", "7.25"),
        (LineKind.PAPER, "VAN", "6.50"),
        (LineKind.PAPER, "ANH", "9.00"),
        (LineKind.TOTAL, "", "22.75"),
    ]


@pytest.mark.parametrize(("group", "more"), [("", 0), ("1", 200), ("2", 150), ("3", 100)])
@pytest.mark.parametrize(
    ("prize", "points"), [("", 0), ("provincial_1", 150), ("provincial_2", 100), ("provincial_3", 50)]
)
def test_priority_and_encouragement_are_added(group: str, more: int, prize: str, points: int) -> None:
    found = compute("intake_2025", MARKS, priority_group=group, encouragement=prize)
    assert found.hundredths == 2275 + more + points


def test_of_several_groups_and_prizes_the_highest_counts() -> None:
    found = compute("intake_2025", MARKS, priority_group="3; 1", encouragement="provincial_3;provincial_2")
    assert found.hundredths == 2275 + 200 + 100


def test_ha_noi_doubled_two_papers_until_2024() -> None:
    assert compute("intake_ha_noi_2024", MARKS).hundredths == 2 * (725 + 650) + 900


def test_a_specialised_paper_counts_twice_for_its_own_class_only() -> None:
    papers = {**MARKS, "TOAN_CHUYEN": Paper(800)}
    assert compute("intake_hai_phong_specialised_2025", papers, "CHUYEN_TOAN").hundredths == 2275 + 1600
    assert compute("intake_hai_phong_specialised_2025", papers, "CHUYEN_VAN").ineligible == "paper_missing:VAN_CHUYEN"
    assert compute("intake_hai_phong_specialised_2025", papers, "ordinary").hundredths == 2275


@pytest.mark.parametrize(
    ("rules", "paper", "cause"),
    [
        ("intake_2025", Paper(None, "absent"), "paper_absent:VAN"),
        ("intake_2025", Paper(None, "missing"), "paper_missing:VAN"),
        ("intake_2025", Paper(None, "cancelled"), "results_cancelled"),
        ("intake_2025", Paper(0), None),
        ("intake_ha_noi_2024", Paper(0), "paper_too_low:VAN:0"),
        ("intake_ben_tre_2025", Paper(100), "paper_too_low:VAN:100"),
        ("intake_ben_tre_2025", Paper(105), None),
    ],
)
def test_who_may_take_part_depends_on_every_paper(rules: str, paper: Paper, cause: str | None) -> None:
    found = compute(rules, {**MARKS, "VAN": paper})
    assert found.ineligible == cause
    assert (found.hundredths is None) == (cause is not None)


def test_what_the_rules_do_not_know_is_not_guessed() -> None:
    with pytest.raises(AttributeUnknown, match='priority_group "9"'):
        compute("intake_2025", MARKS, priority_group="9")


def test_every_rule_file_can_be_read_and_names_its_source() -> None:
    assert "intake_2025" in known_intake_rules()
    for name in known_intake_rules():
        rules = load_intake_rules(name)
        assert rules.id == name
        assert rules.source
        assert rules.holds_in(rules.first_year)
    with pytest.raises(IntakeRulesUnknown):
        load_intake_rules("../../secret")


def test_weights_may_be_fractions() -> None:
    rules = load_intake_rules("intake_2025")
    found = score(rules, {"TOAN": Decimal("0.35"), "VAN": Decimal("0.65")}, MARKS, {})
    assert found.hundredths == 676  # 2.5375 + 4.225 = 6.7625
