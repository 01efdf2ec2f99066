"""GIFT: the grammar, what we make of each kind of question, mistakes with line and column, and the way back."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from item_bank.interchange.gift import GiftDefaults, read_gift
from item_bank.interchange.gift_grammar import Kind, parse
from item_bank.interchange.gift_writer import write_gift
from item_bank.interchange.rows import ReadItems
from item_bank.model.interactions import Essay, MultipleChoice, ShortNumeric, SingleChoice
from item_bank.model.item import Item, Level
from scoring.keys.values import OneOptionKey, OptionSetKey, ShortAnswerKey
from tests.item_bank.items_strategy import FIGURE, choices, items, short_answers

HERE = GiftDefaults(topic="1.1")


def read(text: str, defaults: GiftDefaults = HERE, language: str = "vi") -> ReadItems:
    figures = {FIGURE.removeprefix("/media/"): FIGURE, "3.png": FIGURE}
    return read_gift(text.encode(), defaults, file="a.gift", figures=figures, language=language)


def only(text: str, **options: str) -> Item:
    (item,) = read(text, **options).items  # type: ignore[arg-type]
    return item


def test_one_right_answer_is_a_single_choice() -> None:
    item = only("::T-1:: Ai? {~Một =Hai ~Ba}")
    assert isinstance(item.interaction, SingleChoice)
    assert (item.code, item.stem, item.key) == ("T-1", "<p>Ai?</p>", OneOptionKey(("B",)))
    assert [option.content for option in item.interaction.options] == ["Một", "Hai", "Ba"]


def test_shares_that_add_up_are_a_multiple_choice() -> None:
    item = only("Chọn {~%50%a ~%-100%b ~%50%c}")
    assert isinstance(item.interaction, MultipleChoice)
    assert item.key == OptionSetKey(("A", "C"))


def test_true_or_false_is_a_choice_of_two_pinned_options() -> None:
    item = only("Trái đất tròn. {TRUE}")
    assert isinstance(item.interaction, SingleChoice)
    assert [(o.content, o.pinned) for o in item.interaction.options] == [("Đúng", True), ("Sai", True)]
    assert item.key == OneOptionKey(("A",))


@pytest.mark.parametrize(
    ("answers", "accepted"),
    [
        pytest.param("{#5}", ("5",), id="a number"),
        pytest.param("{#=0.5 =%100%-0.5}", ("0,5", "-0,5"), id="two numbers"),
        pytest.param("{#1.5..1.5}", ("1,5",), id="a range of one number"),
        pytest.param("{=5 =5,0}", ("5", "5,0"), id="short answers that are numbers"),
    ],
)
def test_exact_numbers_are_short_answers_on_the_grid(answers: str, accepted: tuple[str, ...]) -> None:
    item = only(f"Bao nhiêu? {answers}")
    assert isinstance(item.interaction, ShortNumeric)
    assert item.key == ShortAnswerKey(accepted)


def test_an_empty_block_is_an_essay() -> None:
    assert isinstance(only("Viết {}").interaction, Essay)


def test_a_missing_word_leaves_a_blank() -> None:
    assert only("Grant is {~buried =entombed} in a tomb.").stem == "<p>Grant is _____ in a tomb.</p>"


def test_escapes_formulas_and_figures_are_read() -> None:
    text = r'[html]<p>\(x\=\\frac\{1\}\{2\}\) và <img src\="@@PLUGINFILE@@/3.png" alt\="hình"></p> {~a\: b =c\#d}'
    item = only(text)
    assert r"x=\frac{1}{2}</annotation>" in item.stem
    assert f'<img src="{FIGURE}" alt="hình">' in item.stem
    assert isinstance(item.interaction, SingleChoice)
    assert [option.content for option in item.interaction.options] == ["a: b", "c#d"]


def test_feedback_goes_into_the_explanation() -> None:
    item = only("Chọn {~a#sai rồi =b####Vì b}")
    assert item.explanation == "<p>Vì b</p><p>(A) sai rồi</p>"


def test_plain_text_has_no_markup() -> None:
    assert only("[plain]<b>x</b> {=a ~b}").stem == "<p>&lt;b&gt;x&lt;/b&gt;</p>"


def test_markdown_gives_its_emphasis() -> None:
    assert only("[markdown]Chọn **một** _từ_ {=a ~b}").stem == "<p>Chọn <b>một</b> <i>từ</i></p>"


def test_category_and_tags_say_where_an_item_belongs() -> None:
    text = "$CATEGORY: $course$/top/dao-ham\n\n// [id:Q-7] [tag:level=vận dụng] [tag:other]\nTính {#5}\n"
    item = only(text, defaults=GiftDefaults(topics=frozenset({"dao-ham"})))  # type: ignore[arg-type]
    assert (item.code, item.topic, item.level) == ("Q-7", "dao-ham", Level.APPLY)


@pytest.mark.parametrize(
    ("text", "line", "character", "reason"),
    [
        pytest.param("Tính {~1 =2", 1, 6, "the answers opened here are not closed", id="open block"),
        pytest.param("A {=1}\n\n\nTính } {=1}", 4, 6, "this brace closes nothing", id="stray brace"),
        pytest.param("::tiêu đề {=1}", 1, 1, "the title is not closed", id="open title"),
        pytest.param("Tính {\n 1 =2 }", 2, 2, "answers begin with = or ~", id="answer without sign"),
        pytest.param("Tính {#=x}", 1, 9, "a number, number:tolerance or low..high", id="no number"),
        pytest.param("Tính {~%5a ~b =c}", 1, 8, "a weight is a number between per cent signs", id="weight"),
        pytest.param("Tính {=1} {=2}", 1, 11, "one block of answers only", id="two blocks"),
        pytest.param("Tính {=a{b}}", 1, 9, "a brace inside the answers", id="brace in an answer"),
        pytest.param("Đúng {T#a#b#c}", 1, 12, "at most two feedbacks", id="three feedbacks"),
    ],
)
def test_a_syntax_error_is_named_with_line_and_column(text: str, line: int, character: int, reason: str) -> None:
    (finding,) = read(text + "\n").findings[-1:]
    assert (finding.code, finding.place.line, finding.place.character) == ("gift-syntax", line, character)
    assert reason in str(finding.message)


def test_every_syntax_error_of_a_file_is_found_at_once() -> None:
    assert len(parse("a {\n\nb }\n\nc {=1}\n\n::d").errors) == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("Ghép {=a -> 1 =b -> 2}", "matching questions are not supported", id="matching"),
        pytest.param("Viết {=một =hai}", "short answers in words are not supported", id="words"),
        pytest.param("Đo {#3:2}", "tolerance or range", id="tolerance"),
        pytest.param("Đo {#1..5}", "tolerance or range", id="range"),
        pytest.param("Đo {#12345}", "does not fit into 4 characters", id="too long for the grid"),
        pytest.param("Chỉ đọc", "a text without answers", id="description"),
        pytest.param("Chọn {~a ~b}", "no option is right", id="no key"),
    ],
)
def test_what_has_no_place_here_is_refused_or_left_out_as_told(text: str, reason: str) -> None:
    refused = read(text)
    assert [(f.code, f.place.line) for f in refused.findings if f.is_error] == [("gift-unsupported", 1)]
    assert reason in str(refused.findings[-1].message)
    left_out = read(text, GiftDefaults(topic="1.1", leave_out=True))
    assert [f.code for f in left_out.findings] == ["gift-left-out"]
    assert left_out.items == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("Chọn {~%-50%a =b}", "gift-penalty", id="penalty"),
        pytest.param("Chọn {~%50%a =b}", "gift-partial", id="partial credit"),
        pytest.param("Chọn {=a =b ~c}", "gift-several", id="several full answers"),
        pytest.param("::Câu một:: Chọn {=a ~b}", "gift-code", id="a title that is no code"),
        pytest.param("[markdown]# Đầu đề {=a ~b}", "gift-markdown", id="more markdown"),
        pytest.param("<script>x</script>Chọn {\\=a ~b =c}".replace("{\\=a ", "{"), "markup-removed", id="markup"),
        pytest.param("Chọn {=a#tốt ~b}", "gift-feedback", id="feedback"),
    ],
)
def test_a_change_on_the_way_is_told(text: str, code: str) -> None:
    result = read(text)
    assert len(result.items) == 1
    assert code in [finding.code for finding in result.findings]


def test_a_question_without_topic_is_refused() -> None:
    assert [f.code for f in read("Chọn {=a ~b}", GiftDefaults()).findings if f.is_error] == ["topic-missing"]


def test_a_file_that_is_not_unicode_is_refused_by_line() -> None:
    (finding,) = read_gift("a\nđ {T}".encode("utf-16-le") + b"\xff\xff\xfe", HERE).findings[:1]
    assert finding.code in ("encoding", "gift-syntax")
    (finding,) = read_gift(b"a {T}\n\n\xe9 {T}", HERE).findings
    assert (finding.code, finding.place.line) == ("encoding", 3)


def test_a_choice_without_a_wrong_option_has_no_form_in_gift() -> None:
    item = only("Chọn {=a =b ~c}")
    everything = msgspec.structs.replace(item, key=OneOptionKey(("A", "B", "C")))
    written = write_gift([everything])
    assert (written.text, [f.code for f in written.findings]) == ("", ["gift-unsupported"])


gift_items = items(st.one_of(choices(), short_answers())).filter(lambda item: item.stimulus is None)


@given(gift_items)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
def test_what_gift_can_say_reads_back_equal(item: Item) -> None:
    written = write_gift([item])
    if written.findings:
        return  # said to be left out, or to lose something
    if isinstance(item.key, ShortAnswerKey):
        item = msgspec.structs.replace(item, interaction=ShortNumeric(4), key=ShortAnswerKey(item.key.accepted))
    result = read(written.text, language=item.language)
    assert [str(finding.message) for finding in result.findings if finding.is_error] == []
    assert result.items == (item,)


@given(items())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=40)
def test_nothing_is_lost_in_silence_when_written(item: Item) -> None:
    written = write_gift([item])
    parsed = parse(written.text)
    assert parsed.errors == ()
    left_out = [finding for finding in written.findings if finding.is_error]
    assert len(parsed.questions) + len(left_out) == 1


@given(st.text(alphabet="{}=~#%:\\\n->ab1 T[html]/$", max_size=60))
def test_any_text_is_parsed_or_refused_inside_the_file(text: str) -> None:
    parsed = parse(text)
    lines = text.count("\n") + 1
    assert all(1 <= error.line <= lines for error in parsed.errors)
    assert all(question.kind in Kind for question in parsed.questions)
