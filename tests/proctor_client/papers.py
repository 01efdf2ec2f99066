"""Papers the browser tests sit: mathematics with every kind of item, English with a passage."""

from typing import Any

from latex2mathml.converter import convert

FIGURE = "f" * 64


def math(latex: str) -> str:
    return convert(latex)


def mathematics() -> dict[str, Any]:
    """Return a keyless form with 8 choices, 1 multiple choice, 3 clusters, 4 short answers and 1 essay."""
    items: list[dict[str, Any]] = []

    def add(kind: str, part: int, stem: str, **rest: Any) -> None:
        items.append({"slot": len(items) + 1, "part": part, "stimulus": None, "kind": kind, "stem": stem, **rest})

    def options(*contents: str) -> list[dict[str, str]]:
        return [{"id": letter, "content": content} for letter, content in zip("ABCDEFGH", contents, strict=False)]

    def statements(*contents: str) -> list[dict[str, str]]:
        return [{"id": letter, "content": content} for letter, content in zip("abcd", contents, strict=True)]

    integral = math(r"\int_{0}^{1}\left(3x^{2}+2x\right)\,dx")
    half = math(r"\frac{5}{2}")
    add(
        "single_choice",
        1,
        f"<p>Giá trị của tích phân {integral} bằng</p>",
        options=options("<p>1</p>", f"<p>{math('2')}</p>", f"<p>{half}</p>", "<p>3</p>"),
    )
    cases = math(r"f(x)=\begin{cases}x^{2}-1 & \text{khi } x\ge 1\\ 2x-2 & \text{khi } x<1\end{cases}")
    slope = math(r"f'(1)=2")
    limit = math(r"\lim_{x\to 1^{-}} f(x)=1")
    add(
        "single_choice",
        1,
        f"<p>Cho hàm số {cases}. Phát biểu nào sau đây đúng?</p>",
        options=options(
            "<p>Hàm số liên tục tại điểm <i>x</i> = 1 nhưng không có đạo hàm tại điểm đó, "
            "vì đạo hàm bên trái khác đạo hàm bên phải.</p>",
            f"<p>{math('f')} có đạo hàm tại mọi điểm và {slope}.</p>",
            f"<p>{limit}.</p>",
            "<p>Hàm số gián đoạn tại <i>x</i> = 1.</p>",
        ),
    )
    for number in range(3, 9):
        plane = math(rf"(P)\colon {number}x-2y+z-5=0")
        normals = [math(rf"\vec{{n}}_{{{k}}}=({number};{2 - k};{k})") for k in range(1, 5)]
        add(
            "single_choice",
            1,
            f"<p>Trong không gian {math('Oxyz')}, cho mặt phẳng {plane}. Một vectơ pháp tuyến của {math('(P)')} là</p>",
            options=options(*(f"<p>{normal}</p>" for normal in normals)),
        )
    add(
        "multiple_choice",
        1,
        "<p>Những số nào sau đây là số nguyên tố?</p>",
        maximum=2,
        options=options("<p>51</p>", "<p>53</p>", "<p>57</p>", "<p>59</p>", "<p>91</p>", "<p>87</p>"),
    )
    growth = math(r"T_{n}=200\cdot 1{,}06^{n}")
    right, angle = math(r"SA\perp(ABCD)"), math(r"\widehat{SBA}=60^{\circ}")
    for year in (2023, 2024, 2025):
        add(
            "true_false_cluster",
            2,
            f"<p>Một người gửi tiết kiệm 200 triệu đồng từ đầu năm {year} với lãi suất 6%/năm, "
            f"lãi nhập vào vốn sau mỗi năm. Số tiền (triệu đồng) có được sau {math('n')} năm là {growth}.</p>",
            statements=statements(
                f"<p>{math('T_{1}=212')}.</p>",
                "<p>Sau 2 năm, số tiền lãi là 24 triệu đồng (làm tròn đến hàng đơn vị).</p>",
                f"<p>Dãy số {math('(T_{n})')} là một cấp số nhân có công bội {math('q=1{,}06')}.</p>",
                "<p>Cần ít nhất 12 năm để số tiền có được lớn hơn 400 triệu đồng.</p>",
            ),
        )
    for place in range(4):
        add(
            "short_numeric",
            3,
            f"<p>Cho hình chóp {math('S.ABCD')} có đáy là hình vuông cạnh {place + 2}, {right} và {angle}. "
            f"Tính khoảng cách từ {math('A')} đến mặt phẳng {math('(SBC)')} (làm tròn đến hàng phần trăm).</p>"
            f'<p><img src="/media/{FIGURE}.svg" alt="Hình chóp S.ABCD có cạnh SA vuông góc với đáy"></p>',
            max_characters=4,
        )
    add("essay", 4, "<p>Viết đoạn văn (khoảng 200 chữ) về ý nghĩa của việc tự học.</p>", max_words=200)
    return {
        "title": "Toán",
        "language": "vi",
        "minutes": 90,
        "parts": [
            {
                "part": 1,
                "title": "PHẦN I. Câu trắc nghiệm nhiều phương án lựa chọn",
                "instructions": "Mỗi câu hỏi thí sinh chỉ chọn một phương án, trừ khi đề ghi khác.",
                "points_note": "0,25",
            },
            {
                "part": 2,
                "title": "PHẦN II. Câu trắc nghiệm đúng sai",
                "instructions": "Trong mỗi ý a), b), c), d) ở mỗi câu, thí sinh chọn Đúng hoặc Sai.",
                "points_note": "1,0",
            },
            {"part": 3, "title": "PHẦN III. Câu trắc nghiệm trả lời ngắn", "instructions": "", "points_note": "0,5"},
            {"part": 4, "title": "PHẦN IV. Tự luận", "instructions": "", "points_note": "2,0"},
        ],
        "stimuli": [],
        "items": items,
    }


PASSAGE = """<p>Every morning before school, Mai cycles along the river to the small library near the market. It
opens at six, because Mrs Tam, who has kept it for thirty years, believes that <i>quiet hours belong to early
risers</i>. There are only four tables, but on most days all of them are taken.</p>
<p>Last spring the town planned to turn the building into a car park. Mai and her classmates did not shout or march.
Instead, they counted: for two months they wrote down how many people came, how old they were and what they borrowed.
(1)_____ the end they had a table of 4,312 visits, and they read it aloud at the town meeting.</p>
<p>The car park was built somewhere else. "Numbers," Mrs Tam says, "are the politest way to disagree."</p>"""


def english() -> dict[str, Any]:
    """Return a keyless form of ten items, six of them on one passage."""
    items: list[dict[str, Any]] = []
    questions = [
        "Why does the library open at six?",
        "What did the town plan to do with the building?",
        "How did Mai and her classmates show that the library was needed?",
        "Which word best completes blank (1)?",
        "What does Mrs Tam mean by the last sentence?",
        "What would be the best title for the passage?",
    ]
    answers = [
        "Because the keeper likes early visitors",
        "Turn it into a car park",
        "By counting its visitors",
        "In",
        "A table that convinced the town",
    ]
    for slot in range(1, 11):
        on_passage = 3 <= slot <= 8
        stem = (
            questions[slot - 3]
            if on_passage
            else f"She _____ to the market every {['day', 'week', 'month', 'year'][slot % 4]}."
        )
        contents = [answers[(slot + k) % 5] for k in range(4)] if on_passage else ["go", "goes", "going", "gone"]
        items.append(
            {
                "slot": slot,
                "part": 1,
                "stimulus": "S1" if on_passage else None,
                "kind": "single_choice",
                "stem": f"<p>{stem}</p>",
                "options": [{"id": "ABCD"[k], "content": f"<p>{contents[k]}</p>"} for k in range(4)],
            }
        )
    return {
        "title": "Tiếng Anh",
        "language": "en",
        "minutes": 50,
        "parts": [{"part": 1, "title": "", "instructions": "", "points_note": "0,25"}],
        "stimuli": [{"id": "S1", "title": "The library by the river", "content": PASSAGE}],
        "items": items,
    }


def ordering(form: dict[str, Any]) -> list[dict[str, Any]]:
    """Return an order that keeps the slots but turns the options of every second choice round."""
    places = []
    for item in form["items"]:
        letters = "".join(option["id"] for option in item.get("options", item.get("statements", [])))
        turned = letters[::-1] if item["kind"] == "single_choice" and item["slot"] % 2 == 0 else letters
        places.append({"slot": item["slot"], "options": turned})
    return places


FIGURE_SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 220" width="320" height="220">
<g fill="none" stroke="#111" stroke-width="1.5"><path d="M60 170L200 170L270 120"/>
<path d="M60 170L130 120L270 120" stroke-dasharray="5 4"/>
<path d="M130 120L130 20" stroke-dasharray="5 4"/><path d="M130 20L60 170M130 20L200 170M130 20L270 120"/></g>
<g font-family="serif" font-style="italic" font-size="16"><text x="136" y="18">S</text><text x="112"
y="116">A</text><text x="44" y="184">B</text><text x="200" y="188">C</text><text x="276" y="122">D</text></g></svg>"""
