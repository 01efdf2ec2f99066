"""Candidate numbers by year, and the order in which they are given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam_engine.enrolment.errors import NumberingRefused, PrefixUnknown
from exam_engine.enrolment.numbering import Unnumbered, assign, place_of_number, prefix_tables, require_prefix
from exam_engine.infra.vietnamese import name_sort_key

NAMES = ["Trần Bình", "Lê Văn An", "Nguyễn Ánh", "Đỗ Ân", "Phạm Đạt"]
IN_ORDER = ["Lê Văn An", "Nguyễn Ánh", "Đỗ Ân", "Trần Bình", "Phạm Đạt"]


@pytest.mark.parametrize(
    ("number", "year", "place"),
    [
        ("08000123", 2025, "Lào Cai"),
        ("08000123", 2026, "Tuyên Quang"),
        ("31012345", 2025, "Quảng Bình"),
        ("31012345", 2026, "Hải Phòng"),
        ("31012345", 2027, "Hải Phòng"),
        ("01000001", 2025, "Hà Nội"),
        ("01000001", 2026, "Hà Nội"),
        ("02000001", 2025, "Thành phố Hồ Chí Minh"),
        ("03000001", 2025, "Hải Phòng"),
        ("05000001", 2025, "Hà Giang"),
        ("09000001", 2024, "Tuyên Quang"),
        ("21000001", 2025, "Hải Dương"),
        ("28000001", 2025, "Thanh Hóa"),
        ("29000001", 2025, "Nghệ An"),
        ("33000001", 2025, "Thừa Thiên Huế"),
        ("62000001", 2025, "Điện Biên"),
        ("20000001", 2025, None),
        ("20000001", 2026, "Lạng Sơn"),
        ("03000001", 2026, None),
        ("79000001", 2026, "Thành phố Hồ Chí Minh"),
        ("96000001", 2026, "Cà Mau"),
    ],
)
def test_the_same_digits_mean_another_place_in_another_year(number: str, year: int, place: str | None) -> None:
    assert place_of_number(number, year) == place


def test_the_tables_hold_63_councils_until_2025_and_34_provinces_from_2026() -> None:
    assert [len(table.prefixes) for table in prefix_tables()] == [63, 34]


def test_numbers_follow_the_alphabetical_order_of_names_with_their_leading_zeros() -> None:
    people = [Unnumbered(name, name_sort_key(name), None, "") for name in NAMES]
    assert assign(people, "08", []) == [(name, f"0800000{i}") for i, name in enumerate(IN_ORDER, start=1)]


def test_a_number_is_never_given_twice() -> None:
    people = [Unnumbered(name, name_sort_key(name), None, "") for name in NAMES]
    numbers = [number for _, number in assign(people, "08", ["08000007", "09000099", "080001"])]
    assert numbers[0] == "08000008"


def test_of_two_people_of_one_name_the_older_goes_first() -> None:
    key = name_sort_key("Nguyễn Văn An")
    people = [
        Unnumbered("b", key, "2009-05-02", ""),
        Unnumbered("c", key, None, ""),
        Unnumbered("a", key, "2009-05-01", ""),
    ]
    assert [who for who, _ in assign(people, "08", [])] == ["a", "b", "c"]


@given(st.permutations(NAMES))
def test_numbers_do_not_depend_on_the_order_of_the_file(names: list[str]) -> None:
    people = [Unnumbered(name, name_sort_key(name), None, "") for name in names]
    assert [who for who, _ in assign(people, "31", [])] == IN_ORDER


def test_more_candidates_than_serials_are_refused() -> None:
    with pytest.raises(NumberingRefused):
        assign([Unnumbered(1, "", None, "")], "08", ["08999999"])


@pytest.mark.parametrize(("prefix", "year"), [("20", 2025), ("03", 2026), ("8", 2026), ("080", 2026), ("", 2026)])
def test_a_prefix_nobody_has_in_that_year_is_refused(prefix: str, year: int) -> None:
    with pytest.raises(PrefixUnknown):
        require_prefix(prefix, year)
