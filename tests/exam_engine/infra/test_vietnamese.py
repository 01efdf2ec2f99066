"""Vietnamese text: the handbook's section 8, example by example."""

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam_engine.infra.vietnamese import (
    folded,
    has_marks,
    marked,
    matches,
    name_sort_key,
    normalised,
    normalised_name,
    sort_key,
)
from exam_engine.infra.vietnamese_legacy import from_tcvn3, from_vni, is_syllable, legacy_text

ORDER = ["An", "Àn", "Ản", "Ãn", "Án", "Ạn", "Ăn", "Ân", "Ba"]
ALPHABET = "aăâbcdđeêghiklmnoôơpqrstuưvxy"
names = st.lists(
    st.sampled_from(["An", "Ánh", "Ân", "Đạt", "Dung", "Hoà", "Hòa", "Oanh", "Ông", "Ưng", "Y", "K'Brơi", "Niê"]),
    min_size=1,
    max_size=4,
).map(" ".join)


def test_given_names_stand_in_the_order_of_a_class_list() -> None:
    shuffled = ORDER.copy()
    random.Random(5).shuffle(shuffled)
    assert sorted(shuffled, key=name_sort_key) == ORDER


def test_letters_with_marks_are_letters_of_their_own() -> None:
    backwards = ALPHABET[::-1]
    assert sorted(backwards, key=sort_key) == list(ALPHABET)


def test_tones_decide_only_between_equal_letters() -> None:
    assert sorted(["Hạng", "Hang", "Hàn", "Hanh"], key=sort_key) == ["Hàn", "Hang", "Hạng", "Hanh"]


def test_class_lists_go_by_given_name_then_by_the_rest() -> None:
    expected = ["Lê Văn An", "Nguyễn Thị An", "Trần Ánh", "Đỗ Bình", "Dương Văn Đạt"]
    backwards = expected[::-1]
    assert sorted(backwards, key=name_sort_key) == expected


def test_a_file_may_say_which_word_a_person_is_sorted_by() -> None:
    by_last_word, by_own_name = name_sort_key("H'Hen Niê"), name_sort_key("H'Hen Niê", given_name="H'Hen")
    assert by_own_name < name_sort_key("Lê Hoa") < by_last_word


@pytest.mark.parametrize("name", ["Y", "K'Brơi", "H'Hen Niê", "Y Thiên", "Tôn Nữ Thị Ngọc Lan Hương"])
def test_names_of_one_to_six_words_have_a_place(name: str) -> None:
    assert name_sort_key(name).isascii()


@given(names, names)
def test_order_does_not_depend_on_composed_or_decomposed_letters(one: str, other: str) -> None:
    decomposed = unicodedata.normalize("NFD", one)
    assert name_sort_key(decomposed) == name_sort_key(one)
    assert (name_sort_key(one) < name_sort_key(other)) == (name_sort_key(decomposed) < name_sort_key(other))


def test_names_are_kept_composed_with_single_spaces_and_their_tone_where_it_was() -> None:
    assert normalised_name(" Nguye\u0302\u0303n  Thi\u0323\u00a0Hoa\u0300 ") == "Nguyễn Thị Hoà"
    assert normalised_name("K\u2019Brơi") == "K'Brơi"


def test_text_without_marks_is_folded_wholly() -> None:
    assert folded("Đặng Thị Huệ") == "dang thi hue"
    assert folded("K'Brơi") == "kbroi"


@pytest.mark.parametrize(
    ("query", "name", "is_found"),
    [
        pytest.param("nguyen", "Nguyễn Văn An", True, id="no marks finds marks"),
        pytest.param("an nguyen", "Nguyễn Văn An", True, id="words in any order"),
        pytest.param("hà", "Trần Thu Hà", True, id="marks match the same marks"),
        pytest.param("hà", "Trần Thu Hạ", False, id="marks do not match other marks"),
        pytest.param("ha", "Trần Thu Hạ", True, id="no marks match any marks"),
        pytest.param("đạt", "Lê Dạt", False, id="đ is a mark"),
        pytest.param("hoà", "Phạm Hòa", True, id="old and new place of the tone"),
        pytest.param("hòa", "Phạm Hoà", True, id="new and old place of the tone"),
        pytest.param("hóa", "Phạm Hoà", False, id="another tone"),
        pytest.param("hoàn", "Vũ Hoàn", True, id="a closed syllable"),
        pytest.param("hoà", "Vũ Hoàn", True, id="the beginning of a closed syllable"),
        pytest.param("quý", "Lê Qúy", True, id="quy either way"),
        pytest.param("k'broi", "K’Brơi", True, id="any apostrophe"),
        pytest.param("broi", "K'Brơi", True, id="behind the apostrophe"),
        pytest.param("hen nie", "H'Hen Niê", True, id="ethnic minority name"),
        pytest.param("ăn", "Vũ An", False, id="not in the name"),
    ],
)
def test_search(query: str, name: str, is_found: bool) -> None:
    assert matches(query, name) is is_found
    assert matches(unicodedata.normalize("NFD", query), name) is is_found


@given(names)
def test_every_name_is_found_by_itself_and_by_its_folded_form(name: str) -> None:
    assert matches(name, name)
    assert matches(folded(name), name)


@given(st.text(max_size=40))
def test_no_text_breaks_the_text_functions(text: str) -> None:
    normalised(text), folded(text), marked(text), has_marks(text), name_sort_key(text), legacy_text(text)
    matches(text, text)


@pytest.mark.parametrize(
    ("text", "encoding", "converted"),
    [
        ("NguyÔn V¨n An", "TCVN3", "Nguyễn Văn An"),
        ("TrÇn ThÞ H¹nh", "TCVN3", "Trần Thị Hạnh"),
        ("Nguyeãn Vaên An", "VNI", "Nguyễn Văn An"),
        ("Ngoâ Coâng Phoøng", "VNI", "Ngô Công Phòng"),
        ("TOÂ THÒ LOØ", "VNI", "TÔ THỊ LÒ"),
        ("Ñoaøn Vaên Höõu", "VNI", "Đoàn Văn Hữu"),
        ("NGUYEÃN THÒ HÖÔØNG", "VNI", "NGUYỄN THỊ HƯỜNG"),
    ],
)
def test_old_fonts_are_recognised(text: str, encoding: str, converted: str) -> None:
    found = legacy_text(text)
    assert found is not None
    assert (found.encoding, found.converted) == (encoding, converted)


@pytest.mark.parametrize(
    "text", ["Nguyễn Văn An", "Phạm Đỗ Quỳnh Như", "H'Hen Niê", "Y Thiên Ksor", "René Müller", "Lê Quý Đôn", "Toán 12"]
)
def test_true_vietnamese_and_foreign_names_raise_no_alarm(text: str) -> None:
    assert legacy_text(text) is None


@pytest.mark.parametrize(
    ("bytes_", "letters"), [("µ¸¶·¹", "àáảãạ"), ("¨©®ª«¬\u00ad", "ăâđêôơư"), ("¡¢§£¤¥¦", "ĂÂĐÊÔƠƯ")]
)
def test_tcvn3_letters_read_as_the_handbook_says(bytes_: str, letters: str) -> None:
    assert from_tcvn3(bytes_) == letters


@pytest.mark.parametrize(
    ("typed", "letters"),
    [
        ("aù", "á"),
        ("aø", "à"),
        ("aû", "ả"),
        ("aõ", "ã"),
        ("aï", "ạ"),
        ("aê", "ă"),
        ("aâ", "â"),
        ("ñ", "đ"),
        ("eã", "ễ"),
        ("oã", "ỗ"),
        ("oä", "ộ"),
        ("öø", "ừ"),
    ],
)
def test_vni_letters_read_as_the_handbook_says(typed: str, letters: str) -> None:
    assert from_vni(typed) == letters


@pytest.mark.parametrize("word", ["nghiêng", "quyển", "giếng", "khuỷu", "oẳn", "ưỡn", "yến", "xoong"])
def test_real_syllables_are_syllables(word: str) -> None:
    assert is_syllable(word)
