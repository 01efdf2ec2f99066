"""LaTeX becomes MathML that browsers and the painter of PDFs draw alike; what is wrong is named with its place."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_bank.errors import ContentInvalid
from item_bank.model.formulas import to_mathml


def drawn(latex: str, *, display: bool = False) -> str:
    """The presentation part alone."""
    mathml = to_mathml(latex, display=display)
    found = re.search(r"<semantics>(.*)<annotation", mathml)
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize(
    ("latex", "part"),
    [
        pytest.param(r"\widehat{ABC}", '<mo stretchy="true">\u0302</mo>', id="an angle has a wide hat"),
        pytest.param(r"\overline{ab}", '<mo stretchy="true">‾</mo>', id="a bar covers its digits"),
        pytest.param(r"\hat{x}", '<mo stretchy="false">ˆ</mo>', id="a small hat stays small"),
        pytest.param(r"\vec{u}", '<mo stretchy="true">→</mo>', id="vector"),
        pytest.param(r"\overrightarrow{AB}", '<mo stretchy="true">→</mo>', id="vector of two points"),
        pytest.param(r"\overset{\frown}{AB}", '<mo stretchy="true">⏜</mo>', id="arc"),
        pytest.param("0{,}5", "<mn>0,5</mn>", id="decimal comma in braces"),
        pytest.param("0,5", "<mn>0,5</mn>", id="decimal comma"),
        pytest.param("1,5^2", "<msup><mn>1,5</mn><mn>2</mn></msup>", id="square of a decimal"),
        pytest.param(r"\frac{0,5}{2}", "<mn>0,5</mn>", id="decimal in a fraction"),
        pytest.param(r"\{1,2\}", "<mn>1</mn><mo>,</mo><mn>2</mn>", id="a set of two numbers is no decimal"),
        pytest.param("(1,2,3)", "<mn>1</mn><mo>,</mo><mn>2</mn><mo>,</mo><mn>3</mn>", id="a list is no decimal"),
        pytest.param(r"30^\circ", '<mn>30</mn><mi mathvariant="normal">°</mi>', id="degrees"),
        pytest.param("f'(x)", '<mi>f</mi><mo lspace="0" rspace="0">′</mo>', id="a prime is seen"),
        pytest.param(r"\text{nếu } x", "<mtext>nếu\u00a0</mtext>", id="spaces of a text stay"),
        pytest.param(r"\mathrm{d}x", '<mi mathvariant="normal">d</mi>', id="an upright d"),
        pytest.param(r"\mathbb{R}", "<mi>ℝ</mi>", id="double-struck as a character"),
        pytest.param(r"\mathbf{AB}", "<mi>𝐀</mi><mi>𝐁</mi>", id="bold as characters"),
        pytest.param(r"AB=5cm", "<mn>5</mn><mi>c</mi><mi>m</mi>", id="a unit is no dimension"),
        pytest.param(r"(-\infty;1)", '<mo form="prefix">−</mo><mi>∞</mi><mo>;</mo>', id="sign after a bracket"),
        pytest.param(r"x \perp y", "<mo>⟂</mo>", id="perpendicular is an operator"),
        pytest.param(r"2\ln x", '<mspace width="0.1667em"></mspace><mi>ln</mi><mspace', id="space round a function"),
        pytest.param(r"\sum_{i=1}^n i", "<munderover>", id="limits of a sum"),
        pytest.param(r"\lim_{x\to 0} f", '<munder><mo lspace="0" rspace="0.1667em" movablelimits', id="limit"),
        pytest.param(
            r"\begin{vmatrix}1&2\\3&4\end{vmatrix}",
            '<mo stretchy="true" fence="true" form="prefix">|</mo><mtable>',
            id="bars of a determinant stretch",
        ),
        pytest.param(r"\heva{&x=1\\&y=2}", '<mo stretchy="true" fence="true" form="prefix">{</mo><mtable', id="heva"),
        pytest.param(r"\hoac{&x=1\\&x=2}", '<mo stretchy="true" fence="true" form="prefix">[</mo><mtable', id="hoac"),
        pytest.param(r"\left\{\begin{aligned}&x\\&y\end{aligned}\right.", "<mtable", id="aligned"),
        pytest.param(r"\mathop{\lim}\limits_{x\to1}", "<munder><mo lspace", id="an operator holds no elements"),
    ],
)
def test_a_formula_is_drawn_as_teachers_expect(latex: str, part: str) -> None:
    assert part in drawn(latex)


@pytest.mark.parametrize(
    ("latex", "column", "reason"),
    [
        pytest.param("", 1, "the formula is empty", id="empty"),
        pytest.param("{x", 1, "{ is never closed", id="open brace"),
        pytest.param("x}", 2, "} closes nothing here", id="stray brace"),
        pytest.param(r"\frac{1}{2", 9, "{ is never closed", id="open argument"),
        pytest.param(r"a+\foo", 3, r"the command \foo is not known", id="unknown command"),
        pytest.param(r"\left(x", 1, r"\left is never closed", id="left without right"),
        pytest.param(r"5% a", 2, r"write \% for a per cent sign in a formula", id="comment sign"),
        pytest.param(r"x & y", 3, "& is possible inside cases, aligned, array or a matrix only", id="stray ampersand"),
        pytest.param(r"\begin{foo}x\end{foo}", 1, "the environment “foo” is not known", id="environment"),
        pytest.param(r"\begin{cases}x", 1, r"\begin cases is never closed", id="open environment"),
        pytest.param(r"\frac{1}", 1, "a fraction, root, index or accent lacks a part", id="missing argument"),
        pytest.param("x^", 1, "the formula cannot be read: a part is missing", id="missing exponent"),
        pytest.param("a_b_c", 1, "two indices follow each other: put the inner one in braces", id="two indices"),
        pytest.param(r"x+\color{red}y", 3, r"the command \color cannot be used in items", id="colour"),
        pytest.param(r"\href{javascript:alert(1)}{x}", 1, r"the command \href cannot be used in items", id="link"),
        pytest.param(r"\text{a {b} c}", 1, r"\text needs plain text in braces", id="braces in a text"),
    ],
)
def test_a_broken_formula_is_refused_with_its_place(latex: str, column: int, reason: str) -> None:
    with pytest.raises(ContentInvalid) as refused:
        to_mathml(latex)
    assert (refused.value.column, str(refused.value.reason)) == (column, reason)


def test_a_formula_keeps_its_source_and_its_display() -> None:
    mathml = to_mathml(r" a<b ", display=True)
    assert mathml.startswith('<math display="block">')
    assert '<annotation encoding="application/x-tex">a&lt;b</annotation>' in mathml


@given(st.text(alphabet=r"\{}^_&%$ab12+=()[]|,;'~!<> frcinxtelh", max_size=40))
def test_any_text_is_either_drawn_or_refused(latex: str) -> None:
    try:
        mathml = to_mathml(latex)
    except ContentInvalid as refused:
        offset = refused.offset
    else:
        offset = 0
        assert "<mi>\\" not in mathml
    assert 0 <= offset <= len(latex)


def test_a_formula_nested_without_end_is_refused() -> None:
    with pytest.raises(ContentInvalid):
        to_mathml("{" * 5000 + "x" + "}" * 5000)
