"""Tables from outside: what a spreadsheet saves is read, and everything wrong is told with its place."""

import io
import zipfile
from datetime import date

import pytest
import xlsxwriter

from exam_engine.infra.errors import FileRefused
from exam_engine.infra.files import TableReader, explain, fold_name, read_table
from exam_engine.infra.i18n import translator


def workbook(**sheets: list[list[object]]) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for name, lines in sheets.items():
            sheet = book.add_worksheet(name)
            for row, line in enumerate(lines):
                for column, cell in enumerate(line):
                    if isinstance(cell, date):
                        sheet.write_datetime(row, column, cell, day)  # type: ignore[arg-type]
                    else:
                        sheet.write(row, column, cell)
    return target.getvalue()


@pytest.mark.parametrize(
    ("title", "folded"),
    [
        pytest.param("Số báo danh", "so_bao_danh", id="Vietnamese"),
        pytest.param(" Điểm  TB (HK1) ", "diem_tb_hk1", id="signs and spaces"),
        pytest.param("valid_from", "valid_from", id="as it is"),
    ],
)
def test_titles_of_columns_are_folded(title: str, folded: str) -> None:
    assert fold_name(title) == folded


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "with byte order mark"])
def test_csv_is_read_whatever_the_spreadsheet_puts_between_cells(delimiter: str, mark: str) -> None:
    lines = [["Mã", "Họ tên"], ["01", "Nguyễn Văn A"], ["", ""], ["02", ' "B" ']]
    table = read_table((mark + "\n".join(delimiter.join(line) for line in lines)).encode(), "a.csv")
    assert table.columns == ("ma", "ho_ten")
    assert [(row.number, row.cells["ma"], row.cells["ho_ten"]) for row in table.rows] == [
        (2, "01", "Nguyễn Văn A"),
        (4, "02", '"B"'),
    ]


def test_a_workbook_gives_the_numbers_and_days_people_see() -> None:
    content = workbook(units=[["code", "quota", "mark", "from"], ["31", 12.0, 7.25, date(2027, 6, 10)]])
    (row,) = read_table(content, "a.xlsx").rows
    assert row.cells == {"code": "31", "quota": "12", "mark": "7.25", "from": "2027-06-10"}


def test_a_sheet_is_found_by_its_name_or_told_to_be_missing() -> None:
    content = workbook(items=[["a"], ["1"]], topics=[["b"], ["2"]])
    assert read_table(content, "a.xlsx", sheet="Topics").columns == ("b",)
    with pytest.raises(FileRefused, match="people is missing"):
        read_table(content, "a.xlsx", sheet="people")


def test_rows_keep_their_numbers_below_an_empty_beginning() -> None:
    content = workbook(a=[[], [], ["code"], ["x"]])
    (row,) = read_table(content, "a.xlsx").rows
    assert (row.number, row.cells) == (4, {"code": "x"})


def bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("sheet1.xml", "w") as sheet:
        for _ in range(410):
            sheet.write(b"0" * 1_000_000)
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b"\n\n", "empty", id="blank lines"),
        pytest.param(b"PK\x03\x04nonsense", "not an Excel workbook", id="a broken workbook"),
        pytest.param(b"a,a\n1,2\n", "stands there twice", id="a column twice"),
        pytest.param(b"a,b\n1,\x00\n", "not a table", id="a NUL character"),
        pytest.param(b'a,b\n1,"' + b"x" * 200_000 + b'"\n', "not a table", id="an endless cell"),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(FileRefused, match=words):
        read_table(content, "a.csv")


def test_a_workbook_that_unpacks_without_end_is_refused_before_it_is_read() -> None:
    with pytest.raises(FileRefused, match="unpacks to more than 400 MB"):
        read_table(bomb(), "a.xlsx")


def test_every_wrong_cell_is_told_with_row_and_column_in_the_readers_language() -> None:
    table = read_table(b"code,day,quota,mark\nA,31/02/2027,many,7.255\n,10/06/2027,12,-7.5\n", "a.csv")
    reader = TableReader(table, required=("code",), optional=("day", "quota", "mark"))
    values = [
        (reader.text("code"), reader.date("day", None), reader.whole("quota", 0), reader.hundredths("mark", None))
        for _ in reader
    ]
    assert values == [("A", None, 0, None), ("", date(2027, 6, 10), 12, -750)]
    with pytest.raises(FileRefused) as refused:
        reader.finish()
    errors = refused.value.errors
    assert [(error.row, error.column) for error in errors] == [(2, "day"), (2, "quota"), (2, "mark"), (3, "code")]
    assert explain(errors[1], translator("en")) == "row 2, column quota: “many” is not a whole number"
    assert explain(errors[1], translator("vi")) == "dòng 2, cột quota: “many” không phải là số nguyên"


def test_missing_and_unknown_columns_are_told_before_any_row() -> None:
    reader = TableReader(read_table(b"cod,name\n1,x\n", "a.csv"), required=("code",), optional=("name",))
    assert list(reader) == []
    with pytest.raises(FileRefused) as refused:
        reader.finish()
    assert [error.reason for error in refused.value.errors] == [
        "the column code is missing",
        "the column cod is not known",
    ]


def test_cells_under_no_title_are_refused_by_their_row() -> None:
    with pytest.raises(FileRefused) as refused:
        read_table(b"code,mark\n1,6,75\n2,7\n3,8,,\n4,5,25,\n", "marks.csv")
    assert [error.place for error in refused.value.errors] == ["row 2", "row 5"]
    assert [row.number for row in read_table(b"code,mark,,\n1,6,,\n", "marks.csv").rows] == [2]


@pytest.mark.parametrize(
    "text", ["1/1/27", "31/2/2027", "1/2/3/2027", "20270101", "2027-W01-1", "١/1/2027", "tomorrow"]
)
def test_what_is_no_full_date_is_refused(text: str) -> None:
    reader = TableReader(read_table(f"day\n{text}\n".encode(), "units.csv"))
    for _ in reader:
        assert reader.date("day", None) is None
    assert [error.place for error in reader.errors] == ["row 2, column day"]


def test_the_line_by_which_excel_names_its_separator_is_no_header() -> None:
    table = read_table("\ufeffsep=;\r\nMã;Ghi chú\r\n01;a,b\r\n".encode(), "a.csv")
    assert table.columns == ("ma", "ghi_chu")
    assert [(row.number, row.cells["ghi_chu"]) for row in table.rows] == [(3, "a,b")]
