"""Typed text ⇄ stored HTML: nothing is lost on the way, nothing dangerous comes through."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_bank.errors import ContentInvalid
from item_bank.model.content import figure_html, split_figure, to_html, to_source
from item_bank.model.markup import sanitise
from item_bank.model.plain_text import folded, to_text

FIGURE = "/media/" + "a" * 64 + ".svg"


@pytest.mark.parametrize(
    ("source", "html"),
    [
        pytest.param("a < b", "a &lt; b", id="less than"),
        pytest.param("a<b và c>d", "a&lt;b và c&gt;d", id="less than before a letter that names a tag"),
        pytest.param("x<y>z", "x&lt;y&gt;z", id="a tag nobody knows"),
        pytest.param("AT&T", "AT&amp;T", id="ampersand"),
        pytest.param("&lt;b&gt;", "&lt;b&gt;", id="entities are what they mean"),
        pytest.param(r"giá \$5", "giá $5", id="escaped dollar"),
        pytest.param("<b>x</b> <i>y</i> H<sub>2</sub>O", "<b>x</b> <i>y</i> H<sub>2</sub>O", id="inline markup"),
        pytest.param("một\nhai", "<p>một</p><p>hai</p>", id="two paragraphs"),
        pytest.param("a   b\t c", "a b c", id="runs of spaces"),
        pytest.param("hê\u0301t", "hết", id="letters are composed"),
        pytest.param(
            "<table><tr><td>1</td></tr></table>\nsau",
            "<table><tbody><tr><td>1</td></tr></tbody></table><p>sau</p>",
            id="a table stands between paragraphs",
        ),
    ],
)
def test_typed_text_becomes_html(source: str, html: str) -> None:
    assert to_html(source, inline=True).html == html


@pytest.mark.parametrize(
    ("source", "removed"),
    [
        pytest.param("<script>alert(1)</script>x", "<script>", id="script"),
        pytest.param('<p onclick="x">a</p>', "p[onclick]", id="event handler"),
        pytest.param('<span style="color:red">a</span>', "span[style]", id="style"),
        pytest.param('<a href="javascript:1">a</a>', "a[href]", id="link"),
        pytest.param('<img src="https://example.org/a.png" alt="a">', "<img>", id="foreign picture"),
        pytest.param("<iframe></iframe>a", "<iframe>", id="frame"),
        pytest.param('<math><mi href="javascript:1">x</mi></math>', "mi[href]", id="link in a formula"),
        pytest.param("a<!-- b -->", "<!-- -->", id="comment"),
    ],
)
def test_what_is_dangerous_is_taken_out_and_told(source: str, removed: str) -> None:
    rendered = to_html(source)
    assert removed in rendered.removed
    for part in ("script", "onclick", "style", "javascript", "https:", "iframe", "<!--"):
        assert part not in rendered.html


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_no_text_becomes_markup_that_was_not_typed(text: str) -> None:
    source = text.replace("$", r"\$").replace("<", "< ")
    html = to_html(source).html
    assert html.count("<") == html.count("<p>") * 2


typed_lines = st.lists(
    st.sampled_from(
        [
            "a < b", "a<b", "5 > 3", "AT&T", "&lt;b&gt;", r"\$5", "$x$", "$$\\frac{1}{2}$$", "$a<b$", "<b>x</b>",
            "&amp;", "<i>y</i>", "H<sub>2</sub>O", "đáp án", "<br>", "\\", "\\\\", "“q”", "\u00a0", "100%", "x_1",
            "&nbsp;", "a\\$b",
        ]
    ),
    max_size=8,
)  # fmt: skip


@given(st.lists(typed_lines, max_size=3), st.booleans())
def test_stored_html_typed_again_is_the_same_html(lines: list[list[str]], inline: bool) -> None:
    source = "\n".join(" ".join(line) for line in lines)
    html = to_html(source, inline=inline).html
    assert to_html(to_source(html), inline=inline).html == html
    assert sanitise(html) == html


@given(st.text(max_size=120), st.booleans())
def test_any_text_is_stored_the_same_when_typed_again(text: str, inline: bool) -> None:
    try:
        html = to_html(text, inline=inline).html
    except ContentInvalid:
        return
    assert to_html(to_source(html), inline=inline).html == html


@pytest.mark.parametrize(
    ("source", "place"),
    [
        pytest.param("cost $5 and $2", (1, 6), id="prices without a backslash"),
        pytest.param("một\nhai $x", (2, 5), id="dollar without a partner"),
        pytest.param("a\n$x+\\foo$", (2, 4), id="inside a formula"),
    ],
)
def test_a_mistake_is_placed_by_line_and_column(source: str, place: tuple[int, int]) -> None:
    with pytest.raises(ContentInvalid) as refused:
        to_html(source)
    assert (refused.value.line, refused.value.column) == place


def test_a_figure_is_named_by_file_and_stored_by_address() -> None:
    rendered = to_html('Xem <img src="hinh.svg" alt="một hình">', figures={"hinh.svg": FIGURE})
    assert f'<img src="{FIGURE}" alt="một hình">' in rendered.html
    with pytest.raises(ContentInvalid, match=r"khac\.svg is not there"):
        to_html('<img src="khac.svg" alt="">', figures={"hinh.svg": FIGURE})


def test_the_figure_below_a_text_comes_apart_again() -> None:
    html = "<p>Tính</p>" + figure_html(FIGURE, 'Hình "A" & <B>')
    assert split_figure(html) == ("<p>Tính</p>", FIGURE, 'Hình "A" & <B>')
    assert sanitise(html) == html


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param(r"Cho $y=\dfrac{x+1}{x-2}$", "Cho y=(x+1)/(x−2)", id="fraction"),
        pytest.param(r"$x^2+\sqrt{3}$", "x^2+√3", id="power and root"),
        pytest.param(f'<img src="{FIGURE}" alt="đồ thị">', "đồ thị", id="a picture by its description"),
        pytest.param("một\nhai", "một hai", id="paragraphs"),
        pytest.param("a&lt;b", "a<b", id="entities"),
    ],
)
def test_plain_text_reads_everything(source: str, text: str) -> None:
    assert to_text(to_html(source).html) == text


@given(st.text(max_size=60))
def test_folding_leaves_no_mark(text: str) -> None:
    assert not any(unicodedata.combining(c) for c in unicodedata.normalize("NFD", folded(text)))
