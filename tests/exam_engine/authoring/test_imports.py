"""Import of packages: all or nothing, a dry run, the report, importing again, and the way out and back."""

from datetime import datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring import exports, imports, service, store
from exam_engine.authoring.exports import Format
from exam_engine.authoring.imports import ImportOrder
from exam_engine.authoring.model import ImportReport, ItemQuery
from exam_engine.authoring.packages import ImportRefused, Package, SourceFile
from exam_engine.identity.errors import PermissionDenied
from exam_engine.infra.errors import FileRefused
from item_bank.errors import FourEyes
from item_bank.interchange.excel import template_bytes
from item_bank.interchange.gift import GiftDefaults
from item_bank.model.review import ItemState
from tests.exam_engine.authoring.people import Room

TOPICS = SourceFile("topics.csv", b"code,name\n1.1,Kh\xe1\xba\xa3o s\xc3\xa1t\n")
STIMULI = SourceFile("stimuli.csv", "code,title,content\nNL-1,Hàm số,Cho $f(x)=x^2$.\n".encode())
FIGURE = SourceFile("hinh.svg", b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9"/></svg>')
HEADER = "Mã câu,Loại,Chủ đề,Mức độ,Ngữ liệu,Đề bài,A,B,C,D,Đáp án,Hình,Mô tả hình"
ROWS = (
    "I-1,Trắc nghiệm,1.1,NB,,Chọn số lớn nhất,1,2,3,4,D,,",
    "I-2,Đúng/Sai,1.1,TH,NL-1,Xét hàm số,$f(0)=0$,$f(1)=1$,$f(2)=2$,$f(3)=9$,ĐĐSĐ,,",
    'I-3,Trả lời ngắn,1.1,VD,NL-1,Tính $f(3)$,,,,,9,hinh.svg,"Đồ thị của $f$"',
)


def csv_of(*rows: str) -> SourceFile:
    return SourceFile("items.csv", "\n".join((HEADER, *rows)).encode())


def package(*rows: str, **changes: object) -> Package:
    parts = {"items": csv_of(*(rows or ROWS)), "stimuli": STIMULI, "topics": TOPICS, "figures": [FIGURE]}
    return Package(**{**parts, **changes})  # type: ignore[arg-type]


async def bring(
    session: AsyncSession, room: Room, now: datetime, brought: Package | None = None, **options: object
) -> ImportReport:
    order = ImportOrder(bank=room.bank, package=brought or package(), author=room.author, **options)  # type: ignore[arg-type]
    return await imports.import_package(session, order, now=now)


async def test_a_package_becomes_drafts_with_topics_stimuli_and_figures(
    session: AsyncSession, room: Room, now: datetime
) -> None:
    report = await bring(session, room, now)
    assert report.created == ("I-1", "I-2", "I-3")
    assert (report.topics, report.stimuli, report.figures) == (1, 1, 1)
    contents = await store.load_contents(session, room.bank.id)
    item = contents.items["I-3"]
    assert item.stimulus is not None
    assert item.stimulus.title == "Hàm số"
    sha256 = item.item.stem.split("/media/")[1].partition(".")[0]
    assert (await service.load_media(session, sha256)).media_type == "image/svg+xml"


async def test_submitter_and_approver_bring_the_items_into_use_at_once(
    session: AsyncSession, room: Room, now: datetime
) -> None:
    report = await bring(session, room, now, submitter=room.author, approver=room.reviewer)
    assert (report.submitted, report.approved) == (3, 3)
    frozen = await service.active_versions(session, room.bank.id)
    assert [version.item.code for version in frozen] == ["I-1", "I-2", "I-3"]
    assert all(version.stimulus is not None for version in frozen[1:])


async def test_the_same_file_again_changes_nothing(session: AsyncSession, room: Room, now: datetime) -> None:
    await bring(session, room, now, submitter=room.author, approver=room.reviewer)
    report = await bring(session, room, now, submitter=room.author, approver=room.reviewer)
    assert report.unchanged == ("I-1", "I-2", "I-3")
    assert (report.created, report.changed, report.topics, report.stimuli, report.figures) == ((), (), 0, 0, 0)
    assert (report.submitted, report.approved) == (0, 0)


async def test_a_changed_row_makes_a_new_version_and_the_old_one_stays_in_use(
    session: AsyncSession, room: Room, now: datetime
) -> None:
    await bring(session, room, now, submitter=room.author, approver=room.reviewer)
    changed = (ROWS[0].replace("lớn", "bé").replace(",D,,", ",A,,"), *ROWS[1:])
    report = await bring(session, room, now, package(*changed))
    assert (report.changed, report.unchanged) == (("I-1",), ("I-2", "I-3"))
    frozen = {version.item.code: version.number for version in await service.active_versions(session, room.bank.id)}
    assert frozen == {"I-1": 1, "I-2": 1, "I-3": 1}
    item_id = await service.find_item(session, room.bank.id, "I-1")
    details = await service.load_item(session, item_id, actor=room.author)
    assert [(v.number, v.review.state) for v in details.versions] == [(2, ItemState.DRAFT), (1, ItemState.ACTIVE)]


async def test_a_changed_stimulus_makes_new_versions_of_its_items_and_names_those_left_behind(
    session: AsyncSession, room: Room, now: datetime
) -> None:
    await bring(session, room, now, submitter=room.author, approver=room.reviewer)
    other = SourceFile("stimuli.csv", "code,title,content\nNL-1,Hàm số,Cho $f(x)=x^2$ trên R.\n".encode())
    report = await bring(session, room, now, package(ROWS[1], stimuli=other))
    assert report.changed == ("I-2",)
    assert [(w.code, w.place.item) for w in report.warnings if w.code == "stimulus-left-behind"] == [
        ("stimulus-left-behind", "I-3")
    ]


async def test_a_dry_run_reports_the_same_and_writes_nothing(session: AsyncSession, room: Room, now: datetime) -> None:
    report = await bring(session, room, now, dry_run=True)
    assert (report.created, report.dry_run) == (("I-1", "I-2", "I-3"), True)
    page = await service.list_items(session, ItemQuery(), actor=room.author)
    assert page.total == 0


async def test_one_broken_row_refuses_the_file_and_every_mistake_is_named(
    session: AsyncSession, room: Room, now: datetime
) -> None:
    broken = package(ROWS[0], "I-2,Trắc nghiệm,9.9,??,,$x$,1,,,,Z,,", "I-4,Trả lời ngắn,1.1,NB,,Tính $\\foo$,,,,,1/2,,")
    with pytest.raises(ImportRefused) as refused:
        await bring(session, room, now, broken)
    found = [(f.place.row, f.place.field, f.code) for f in refused.value.findings]
    assert (3, "level", "unknown-level") in found
    assert (3, "key", "key-unreadable") in found
    assert (4, "stem", "content-invalid") in found
    assert refused.value.errors[0].place.startswith("items.csv, row 3")
    assert (await store.load_contents(session, room.bank.id)).items == {}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        pytest.param("code,kind,topic,level,key", "the column stem is missing", id="missing"),
        pytest.param(HEADER + ",Đáp sai", "the column Đáp sai is not known", id="unknown"),
        pytest.param(HEADER + ",Khoá", "two columns mean Đáp án", id="twice the same"),
    ],
)
async def test_a_header_that_would_lose_cells_is_refused(
    session: AsyncSession, room: Room, now: datetime, header: str, message: str
) -> None:
    items = SourceFile("items.csv", f"{header}\nI-1\n".encode())
    with pytest.raises(FileRefused, match=message):
        await bring(session, room, now, package(items=items))


async def test_a_missing_figure_is_named(session: AsyncSession, room: Room, now: datetime) -> None:
    with pytest.raises(ImportRefused, match=r"hinh\.svg is not there"):
        await bring(session, room, now, package(figures=[]))


async def test_only_authors_import_and_approvers_are_other_people(
    session: AsyncSession, room: Room, now: datetime
) -> None:
    order = ImportOrder(bank=room.bank, package=package(), author=room.reviewer)
    with pytest.raises(PermissionDenied):
        await imports.import_package(session, order, now=now)
    with pytest.raises((FourEyes, PermissionDenied)):
        await bring(session, room, now, submitter=room.author, approver=room.author)


@pytest.mark.parametrize("file_format", [Format.CSV, Format.XLSX])
async def test_what_was_exported_imports_again_without_a_change(
    session: AsyncSession, room: Room, now: datetime, file_format: Format
) -> None:
    await bring(session, room, now)
    export = await exports.export_bank(session, room.bank, file_format, actor=room.author, now=now)
    files = {file.name: file for file in export.files}
    figures = [file for file in export.files if file.name.endswith(".svg")]
    if file_format is Format.XLSX:
        again = Package(items=files[f"{room.bank.code}.xlsx"], figures=figures)
    else:
        again = Package(
            items=files["items.csv"], stimuli=files["stimuli.csv"], topics=files["topics.csv"], figures=figures
        )
    report = await bring(session, room, now, again)
    assert (report.created, report.changed, report.topics, report.stimuli) == ((), (), 0, 0)
    assert len(report.unchanged) == 3


async def test_the_excel_template_imports_as_it_is(session: AsyncSession, room: Room, now: datetime) -> None:
    report = await bring(session, room, now, Package(items=SourceFile("mau.xlsx", template_bytes())))
    assert len(report.created) == 5
    assert report.warnings == ()


async def test_a_gift_file_imports_into_the_topic_of_its_category(
    session: AsyncSession, room: Room, now: datetime
) -> None:
    text = "$CATEGORY: 1.1\n\n::G-1::Số nào lớn hơn? {~1 =2}\n\n::G-2::$2+3$ bằng bao nhiêu? {#5}\n"
    gift = Package(items=SourceFile("cau.gift", text.encode()), topics=TOPICS)
    report = await bring(session, room, now, gift)
    assert report.created == ("G-1", "G-2")


async def test_a_gift_question_we_cannot_hold_refuses_the_file_unless_it_may_be_left_out(
    session: AsyncSession, room: Room, now: datetime
) -> None:
    text = "::G-1::Chọn {~1 =2}\n\n::G-2::Ghép {=a -> 1 =b -> 2}\n\n::G-3::hỏng {~1 =2\n"
    items = SourceFile("cau.gift", text.encode())
    with pytest.raises(ImportRefused) as refused:
        await bring(session, room, now, Package(items=items, topics=TOPICS, gift=GiftDefaults(topic="1.1")))
    assert [(f.code, f.place.line, f.place.character) for f in refused.value.findings] == [
        ("gift-unsupported", 3, 1),
        ("gift-syntax", 5, 13),
    ]
    whole = SourceFile("cau.gift", text.rpartition("\n\n")[0].encode())
    defaults = GiftDefaults(topic="1.1", leave_out=True)
    report = await bring(session, room, now, Package(items=whole, topics=TOPICS, gift=defaults))
    assert report.created == ("G-1",)
    assert [w.code for w in report.warnings] == ["gift-left-out"]


async def test_a_spreadsheet_formula_in_an_export_comes_back_as_the_text_it_was(
    session: AsyncSession, room: Room, now: datetime
) -> None:
    await bring(session, room, now, package("I-9,Trắc nghiệm,1.1,NB,,=1+1 là bao nhiêu?,=2,@3,,,A,,"))
    export = await exports.export_bank(session, room.bank, Format.CSV, actor=room.author, now=now)
    (items,) = [file for file in export.files if file.name == "items.csv"]
    report = await bring(session, room, now, package(items=items))
    assert report.unchanged == ("I-9",)
