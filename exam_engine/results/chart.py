"""The score distribution as an SVG picture: bars, axes, a title and a description for those who do not see it.

Colours are attributes that a page's style sheet overrides by class. The same numbers belong in a table beside it.
"""

from decimal import Decimal
from fractions import Fraction
from xml.sax.saxutils import escape, quoteattr

from exam_engine.infra.i18n import N_, Translator, format_decimal, format_hundredths, format_integer
from exam_engine.results.distribution import HIDE_BELOW, Cell, Distribution

WIDTH, HEIGHT = 760, 340
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 16, 52
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

TITLE = N_("Score distribution: {subject}")
DESCRIPTION = N_("{n} candidates; mean {mean}, median {median}. The bars count candidates by score.")
DESCRIPTION_OF_FEW = N_("{n} candidates. So few that nothing more is shown.")
HIDDEN = N_("{score}: fewer than {limit} candidates, not shown")
SHOWN = N_("{score}: {count} candidates")
SCORE_AXIS = N_("Score")
COUNT_AXIS = N_("Candidates")


def chart(distribution: Distribution, *, subject: str, chart_id: str, language: str, translate: Translator) -> str:
    """Draw a distribution.

    Parameters
    ----------
    distribution : Distribution
    subject : str
        Name of the subject, already in the reader's language.
    chart_id : str
        Letters and digits; makes ids unique on a page with several charts.
    language : str
    translate : Translator
    """
    top = _nice_top(max((cell.count or 0 for cell in distribution.cells), default=0))
    frame = f'xmlns="http://www.w3.org/2000/svg" class="distribution" viewBox="0 0 {WIDTH} {HEIGHT}"'
    names = quoteattr(f"{chart_id}-title {chart_id}-description")
    lines = [
        f'<svg {frame} role="img" aria-labelledby={names}>',
        f"<title id={quoteattr(f'{chart_id}-title')}>{escape(translate(TITLE, subject=subject))}</title>",
        f"<desc id={quoteattr(f'{chart_id}-description')}>{escape(describe(distribution, language, translate))}</desc>",
        *_count_axis(top, language),
        *(_bar(cell, distribution, top, language, translate) for cell in distribution.cells if cell.count != 0),
        *_score_axis(distribution, language),
        _text(LEFT + PLOT_WIDTH / 2, HEIGHT - 8, "middle", translate(SCORE_AXIS)),
        _text(14, TOP + PLOT_HEIGHT / 2, "middle", translate(COUNT_AXIS), degrees=-90),
        "</svg>",
    ]
    return "\n".join(lines)


def describe(distribution: Distribution, language: str, translate: Translator) -> str:
    """Say the figures in a sentence."""
    count = format_integer(distribution.n, language)
    if distribution.mean is None or distribution.median is None:
        return translate(DESCRIPTION_OF_FEW, n=count)
    return translate(
        DESCRIPTION,
        n=count,
        mean=format_decimal(distribution.mean, language),
        median=format_decimal(distribution.median, language),
    )


def cell_label(cell: Cell, distribution: Distribution, language: str) -> str:
    """Name a cell by its score, or by its bounds where it is wider than the subject's step."""
    high = cell.low + distribution.step - 1
    if distribution.step == distribution.grid or cell.low >= distribution.maximum:
        return format_hundredths(cell.low, language)
    return f"{format_hundredths(cell.low, language)} – {format_hundredths(min(high, distribution.maximum), language)}"


def _bar(cell: Cell, distribution: Distribution, top: int, language: str, translate: Translator) -> str:
    n_cells = len(distribution.cells)
    width = Fraction(PLOT_WIDTH, n_cells)
    x = LEFT + width * (cell.low // distribution.step)
    gap = min(Fraction(2), width / 5)
    score = cell_label(cell, distribution, language)
    if cell.count is None:
        height, label = Fraction(6), translate(HIDDEN, score=score, limit=HIDE_BELOW)
        look = 'class="distribution-hidden" fill="none" stroke="currentColor" stroke-dasharray="2 2"'
    else:
        height = Fraction(PLOT_HEIGHT * cell.count, top)
        label = translate(SHOWN, score=score, count=format_integer(cell.count, language))
        look = 'class="distribution-bar" fill="#1d5fa8"'
    y = TOP + PLOT_HEIGHT - height
    return (
        f'<rect {look} x="{float(x + gap / 2):.2f}" y="{float(y):.2f}" width="{float(width - gap):.2f}" '
        f'height="{float(height):.2f}"><title>{escape(label)}</title></rect>'
    )


def _score_axis(distribution: Distribution, language: str) -> list[str]:
    base = TOP + PLOT_HEIGHT
    lines = [f'<line x1="{LEFT}" y1="{base}" x2="{LEFT + PLOT_WIDTH}" y2="{base}" stroke="currentColor"/>']
    width = Fraction(PLOT_WIDTH, len(distribution.cells))
    for tenth in range(11):
        score = distribution.maximum * tenth // 10
        # A tick stands under the middle of the bar of one score, or at the left border of a wider cell.
        middle = Fraction(1, 2) if distribution.step == distribution.grid else 0
        x = float(LEFT + width * (Fraction(score, distribution.step) + middle))
        whole = format_decimal(Decimal(score) / 100, language, places=0 if score % 100 == 0 else 1)
        lines.append(f'<line x1="{x:.2f}" y1="{base}" x2="{x:.2f}" y2="{base + 5}" stroke="currentColor"/>')
        lines.append(_text(x, base + 20, "middle", whole))
    return lines


def _count_axis(top: int, language: str) -> list[str]:
    lines = []
    for quarter in range(5):
        count = top * quarter // 4
        y = TOP + PLOT_HEIGHT - PLOT_HEIGHT * quarter / 4
        lines.append(
            f'<line class="distribution-grid" x1="{LEFT}" y1="{y:g}" x2="{LEFT + PLOT_WIDTH}" y2="{y:g}" '
            'stroke="currentColor" stroke-opacity="0.2"/>'
        )
        lines.append(_text(LEFT - 8, y + 4, "end", format_integer(count, language)))
    return lines


def _text(x: float, y: float, anchor: str, text: str, *, degrees: int = 0) -> str:
    turn = f' transform="rotate({degrees} {x:g} {y:g})"' if degrees else ""
    return (
        f'<text class="distribution-label" x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="13" '
        f'fill="currentColor"{turn}>{escape(text)}</text>'
    )


def _nice_top(highest: int) -> int:
    """Return a multiple of four at or above the highest bar, easy to read at its quarters."""
    quarters = [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, 40, 50, 60, 80]
    while 4 * quarters[-1] < highest:
        quarters = [10 * quarter for quarter in quarters]
    return next(4 * quarter for quarter in quarters if 4 * quarter >= highest)
