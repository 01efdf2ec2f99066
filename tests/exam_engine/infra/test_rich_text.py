"""Formulas in printed text keep their lines apart."""

import pytest
from latex2mathml.converter import convert

from exam_engine.infra.pdf.page import body_style
from exam_engine.infra.pdf.rich_text import flow

TALL = convert(r"\dfrac{x-1}{2}=\dfrac{y+3}{-1}=\dfrac{z}{4}")


@pytest.mark.parametrize("words", range(4, 18))
def test_a_line_is_as_tall_as_its_formula_wherever_the_line_breaks(words: int) -> None:
    (paragraph,) = flow(f"<p>{'đường thẳng ' * words}{TALL} có phương trình là</p>", body_style(10.5))
    paragraph.wrap(300, 1_000)
    holding = [line for line in paragraph.blPara.lines if any(hasattr(word, "cbDefn") for word in line.words)]
    assert len(holding) == 1
    (formula,) = [word.cbDefn for word in holding[0].words if hasattr(word, "cbDefn")]
    assert holding[0].ascent - holding[0].descent > formula.height
