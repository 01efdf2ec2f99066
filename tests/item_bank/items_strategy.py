"""Items of every kind, as authors could have written them, for laws."""

from hypothesis import strategies as st

from item_bank.interchange.keys import default_steps
from item_bank.model.content import figure_html, to_html
from item_bank.model.interactions import (
    Essay,
    Interaction,
    MultipleChoice,
    Option,
    ShortNumeric,
    SingleChoice,
    Statement,
    TrueFalseCluster,
)
from item_bank.model.item import Item, Level
from scoring.keys.values import (
    ClusterKey,
    Compare,
    Criterion,
    Key,
    OneOptionKey,
    OptionSetKey,
    RubricKey,
    ShortAnswerKey,
)

FIGURE = "/media/" + "ab" * 32 + ".svg"

_WORDS = [
    "Tính", "a < b", "a<b", "$x^2$", "$$\\frac{0,5}{2}$$", "<b>đậm</b>", r"\$5", "AT&T", "đúng\nsai", "“q”", "50%",
    "{x}", "~y", "=z", "#1", "a:b", "\\", "H<sub>2</sub>O", "1\u00a0000", "$\\widehat{ABC}$", "=1+1", "@a",
]  # fmt: skip
sources = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=5).map(" ".join)
words = st.sampled_from(["Nội dung", "Ngôn ngữ", "Chính tả", "Bố cục"])


@st.composite
def contents(draw: st.DrawFn, count: int) -> list[str]:
    return [to_html(draw(sources), inline=True).html for _ in range(count)]


@st.composite
def choices(draw: st.DrawFn) -> tuple[Interaction, Key]:
    htmls = draw(contents(draw(st.integers(2, 8))))
    letters = "ABCDEFGH"[: len(htmls)]
    pinned = draw(st.sets(st.sampled_from(letters)))
    options = tuple(Option(letter, html, letter in pinned) for letter, html in zip(letters, htmls, strict=True))
    right = draw(st.sets(st.sampled_from(letters), min_size=1))
    if draw(st.booleans()):
        return SingleChoice(options), OneOptionKey(tuple(sorted(right)))
    maximum = draw(st.integers(0, len(letters)))
    return MultipleChoice(options, maximum), OptionSetKey(tuple(sorted(right)))


@st.composite
def clusters(draw: st.DrawFn) -> tuple[Interaction, Key]:
    htmls = draw(contents(draw(st.integers(2, 5))))
    letters = "abcde"[: len(htmls)]
    statements = tuple(Statement(letter, html) for letter, html in zip(letters, htmls, strict=True))
    judged = {letter: draw(st.booleans()) for letter in letters}
    steps = draw(st.sampled_from([default_steps(len(letters)), tuple(range(0, 10 * len(letters) + 1, 10))]))
    return TrueFalseCluster(statements, draw(st.booleans())), ClusterKey(judged, steps)


@st.composite
def short_answers(draw: st.DrawFn) -> tuple[Interaction, Key]:
    answers = st.sampled_from(["5", "-1,5", "0,50", "0803", "92,3"])
    accepted = tuple(draw(st.lists(answers, min_size=1, max_size=3, unique=True)))
    return ShortNumeric(draw(st.integers(4, 6))), ShortAnswerKey(accepted, draw(st.sampled_from(list(Compare))))


@st.composite
def essays(draw: st.DrawFn) -> tuple[Interaction, Key]:
    titles = draw(st.lists(words, min_size=1, max_size=4, unique=True))
    criteria = tuple(
        Criterion(
            f"c{index}",
            title,
            draw(st.integers(1, 400)),
            tuple(draw(st.lists(st.sampled_from(["tốt", "khá", "còn yếu"]), max_size=3))),
        )
        for index, title in enumerate(titles, start=1)
    )
    return Essay(draw(st.integers(50, 900))), RubricKey(criteria)


@st.composite
def items(draw: st.DrawFn, kinds: st.SearchStrategy[tuple[Interaction, Key]] | None = None) -> Item:
    interaction, key = draw(st.one_of(choices(), clusters(), short_answers(), essays()) if kinds is None else kinds)
    stem = to_html(draw(sources)).html
    if draw(st.booleans()):
        stem += figure_html(FIGURE, draw(st.sampled_from(["Đồ thị", 'Hình "A" & <B>'])))
    return Item(
        code=draw(st.from_regex(r"[A-Z][A-Z0-9-]{0,8}", fullmatch=True)),
        topic=draw(st.sampled_from(["1.1", "dao-ham"])),
        level=draw(st.sampled_from(list(Level))),
        stem=stem,
        interaction=interaction,
        key=key,
        stimulus=draw(st.sampled_from([None, "NL-1"])),
        explanation=draw(st.sampled_from(["", to_html("Vì $x$ < 2").html])),
        language=draw(st.sampled_from(["vi", "en"])),
    )
