"""What the template explains and shows: instructions in both languages and one example of each kind."""

from collections.abc import Mapping

EXAMPLE_TOPICS: tuple[Mapping[str, str], ...] = (
    {"code": "1.1", "name": "Khảo sát hàm số", "position": "1"},
    {"code": "2.1", "name": "Xác suất", "position": "2"},
    {"code": "3.1", "name": "Viết đoạn văn", "position": "3"},
)

EXAMPLE_STIMULI: tuple[Mapping[str, str], ...] = (
    {
        "code": "NL-01",
        "title": "Câu lạc bộ đọc sách",
        "content": "Một câu lạc bộ có $24$ bạn nam và $16$ bạn nữ.\n"
        "Mỗi tháng câu lạc bộ chọn ngẫu nhiên một bạn giới thiệu sách.",
    },
)

EXAMPLE_ITEMS: tuple[Mapping[str, str], ...] = (
    {
        "code": "VD-01",
        "kind": "single_choice",
        "topic": "1.1",
        "level": "know",
        "stem": "Tiệm cận đứng của đồ thị hàm số $y=\\dfrac{x+1}{x-2}$ là đường thẳng",
        "option_a": "$x=2$.",
        "option_b": "$x=-1$.",
        "option_c": "$y=1$.",
        "option_d": "$y=2$.",
        "key": "A",
        "explanation": "Mẫu số bằng $0$ khi $x=2$ và tử số khác $0$ tại đó.",
    },
    {
        "code": "VD-02",
        "kind": "multiple_choice",
        "topic": "1.1",
        "level": "understand",
        "stem": "Những hàm số nào sau đây đồng biến trên $\\mathbb{R}$?",
        "option_a": "$y=x^3+x$.",
        "option_b": "$y=x^2$.",
        "option_c": "$y=2x-1$.",
        "option_d": "$y=-x^3$.",
        "key": "A,C",
    },
    {
        "code": "VD-03",
        "kind": "true_false_cluster",
        "topic": "2.1",
        "level": "understand",
        "stimulus": "NL-01",
        "stem": "Xét tháng đầu tiên. Mỗi khẳng định sau đúng hay sai?",
        "option_a": "Câu lạc bộ có $40$ bạn.",
        "option_b": "Xác suất chọn được một bạn nữ là $0,4$.",
        "option_c": "Xác suất chọn được một bạn nam là $0,5$.",
        "option_d": "Chọn được bạn nam và chọn được bạn nữ là hai biến cố đối.",
        "key": "ĐĐSĐ",
    },
    {
        "code": "VD-04",
        "kind": "short_numeric",
        "topic": "2.1",
        "level": "apply",
        "stimulus": "NL-01",
        "stem": "Xác suất để hai tháng liên tiếp đều chọn được bạn nữ bằng bao nhiêu "
        "(làm tròn kết quả đến hàng phần trăm)?",
        "key": "0,16",
        "compare": "numeric",
        "max_characters": "4",
    },
    {
        "code": "VD-05",
        "kind": "essay",
        "topic": "3.1",
        "level": "apply",
        "stem": "Viết một đoạn văn (khoảng $200$ chữ) về một cuốn sách em đã đọc trong năm nay.",
        "key": "Nội dung: 1,0; Ngôn ngữ: 0,5; Chính tả: 0,5",
        "max_words": "250",
    },
)

_VIETNAMESE = r"""
Cách dùng
    Xoá các dòng ví dụ, nhập câu hỏi vào trang “items”, ngữ liệu dùng chung vào “stimuli”, chủ đề vào “topics”.
code
    Mã câu, không trùng trong ngân hàng. Nhập lại tệp với cùng mã sẽ tạo phiên bản mới nếu nội dung thay đổi.
kind
    single_choice (một phương án đúng), multiple_choice (nhiều phương án đúng), true_false_cluster (đúng/sai bốn
    ý), short_numeric (trả lời ngắn), essay (tự luận). Có thể ghi bằng tiếng Việt: Trắc nghiệm, Đúng/Sai, Trả
    lời ngắn, Tự luận.
topic
    Mã chủ đề có trong trang “topics” hoặc đã có trong ngân hàng.
level
    know (nhận biết, NB), understand (thông hiểu, TH), apply (vận dụng, VD).
stimulus
    Mã ngữ liệu mà câu dựa vào; các câu chung ngữ liệu luôn đi cùng nhau trong đề.
stem
    Lời dẫn. Công thức LaTeX đặt giữa $…$ (trong dòng) hoặc $$…$$ (riêng dòng); dấu đô la ghi là \$. Xuống dòng
    trong ô (Alt+Enter) tạo đoạn mới. Được dùng <b>, <i>, <u>, <sub>, <sup>, <br>, <table>.
option_a … option_h
    Các phương án, hoặc các ý a–d của câu đúng/sai. Không ghi chữ A., B. ở đầu.
pinned
    Chữ của phương án phải giữ nguyên vị trí khi trộn, ví dụ D cho “Tất cả các phương án trên”.
key
    Một đáp án: B. Nhiều đáp án: A,C. Đúng/sai: ĐSĐS. Trả lời ngắn: 0,5 (nhiều cách ghi: 0,5|0,50). Tự luận: Nội
    dung: 1,0; Ngôn ngữ: 0,5.
compare
    Trả lời ngắn: numeric (so giá trị, 0,50 = 0,5) hoặc literal (so từng ký tự, 0803 khác 803).
max_characters
    Trả lời ngắn: số ô tối đa, thường là 4, kể cả dấu trừ và dấu phẩy.
max_words
    Tự luận: số chữ tối đa.
figure, alt_text
    Tên tệp hình (SVG, PNG, JPEG) để cạnh tệp này, và lời mô tả hình cho người không nhìn được.
explanation
    Lời giải, chỉ hiện cho giáo viên và sau kì thi.
Kiểm tra
    exam-engine item check tep.xlsx đọc thử và liệt kê mọi lỗi theo dòng và cột, không cần máy chủ.
"""

_ENGLISH = r"""
How to use
    Delete the examples; write items on “items”, shared passages on “stimuli”, topics on “topics”.
code
    The item's code, unique in its bank. Importing the same code again makes a new version if the content
    changed.
kind
    single_choice, multiple_choice, true_false_cluster (four statements), short_numeric, essay.
topic
    A topic code from the sheet “topics” or from the bank.
level
    know, understand, apply.
stimulus
    Code of the passage the item hangs on; items of one passage stay together on the paper.
stem
    The question. LaTeX between $…$ (inline) or $$…$$ (display); \$ for a dollar sign. A line break in the cell
    (Alt+Enter) starts a paragraph. <b>, <i>, <u>, <sub>, <sup>, <br>, <table> are kept.
option_a … option_h
    The options, or statements a–d of a cluster, without their letters.
pinned
    Letters of options that keep their place when options are shuffled, such as D.
key
    Single: B. Multiple: A,C. Cluster: TFTF. Short answer: 0,5 (several: 0,5|0,50). Essay: Content: 1,0;
    Language: 0,5.
compare
    Short answers: numeric (0,50 equals 0,5) or literal (0803 differs from 803).
max_characters
    Short answers: boxes of the grid, usually 4, sign and comma included.
max_words
    Essays: the most words.
figure, alt_text
    File name of a figure (SVG, PNG, JPEG) beside this file, and its description for those who cannot see it.
explanation
    The solution; shown to staff, and after the exam.
Check
    exam-engine item check file.xlsx reads the file and lists every mistake by row and column, without a server.
"""


def instructions(language: str) -> list[tuple[str, str]]:
    """Return the lines of the instructions sheet: a column or subject, and what to write there."""
    lines: list[tuple[str, str]] = []
    for line in (_VIETNAMESE if language == "vi" else _ENGLISH).strip().splitlines():
        if line.startswith(" "):
            subject, text = lines[-1]
            lines[-1] = (subject, f"{text} {line.strip()}".strip())
        else:
            lines.append((line, ""))
    return lines
