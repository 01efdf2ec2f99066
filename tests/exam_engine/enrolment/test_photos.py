"""Photos of candidates: read from folders and archives, made anew, stored all or none."""

import io
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.enrolment import photo_store, service
from exam_engine.enrolment.model import Candidate, Exam
from exam_engine.enrolment.photo_files import HEIGHT, WIDTH, PhotoFile, re_encode, read_photo_archive, read_photo_files
from exam_engine.enrolment.tables import CandidatePhotoRow
from exam_engine.infra.errors import FileRefused
from exam_engine.infra.files import read_table
from tests.exam_engine.enrolment.conftest import ACTOR


def picture(width: int = 600, height: int = 800, form: str = "JPEG", *, turned: bool = False) -> bytes:
    image = Image.new("RGB", (width, height), "white")
    image.paste((200, 30, 30), (0, 0, width, height // 2))  # the upper half is red
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    if turned:
        exif[0x0112] = 6  # lies on its side
        image = image.rotate(90, expand=True)
    buffer = io.BytesIO()
    image.save(buffer, form, exif=exif)
    return buffer.getvalue()


def archive(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in files.items():
            made.writestr(name.replace("__", "/").replace("_", "."), content)
    return buffer.getvalue()


async def enrol(session: AsyncSession, exam: Exam, count: int, *, now: datetime) -> list[Candidate]:
    rows = "".join(f"Trần Thử {letter},TOAN\n" for letter in "ABC"[:count])
    table = read_table(f"full_name,subjects\n{rows}".encode(), "c.csv")
    await service.import_candidates(session, exam, table, actor=ACTOR, now=now)
    await service.assign_numbers(session, exam, "31", actor=ACTOR, now=now)
    return list(await service.load_candidates(session, exam.id))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_picture_is_made_anew_upright_small_and_without_what_a_phone_wrote_beside_it(form: str, turned: bool) -> None:
    photo = re_encode(PhotoFile("a", "a", picture(form=form, turned=turned)))
    read = Image.open(io.BytesIO(photo.content))
    assert (read.format, read.size) == ("JPEG", (WIDTH, HEIGHT))
    assert not read.getexif()
    assert b"secret" not in photo.content
    top, bottom = read.getpixel((WIDTH // 2, 20)), read.getpixel((WIDTH // 2, HEIGHT - 20))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert (top[1] < 100, bottom[1] > 200) == (True, True), "the picture stands on its feet"


@pytest.mark.parametrize(
    "content",
    [b"", b"not a picture", picture()[:300], b"GIF89a" + bytes(50), b"<svg xmlns='http://www.w3.org/2000/svg'/>"],
    ids=["empty", "text", "cut off", "another format", "a drawing"],
)
def test_what_is_no_photo_is_refused_by_its_name(content: bytes) -> None:
    with pytest.raises(FileRefused) as refused:
        re_encode(PhotoFile("31000001.jpg", "31000001", content))
    assert refused.value.file_name == "31000001.jpg"


def test_folders_and_archives_are_read_by_the_names_of_their_pictures(tmp_path: Path) -> None:
    (tmp_path / "lop-12a").mkdir()
    (tmp_path / "lop-12a" / "31000002.JPG").write_bytes(picture())
    (tmp_path / "31000001.png").write_bytes(picture(form="PNG"))
    (tmp_path / "readme.txt").write_text("no picture")
    assert [file.number for file in read_photo_files(tmp_path)] == ["31000001", "31000002"]
    packed = archive(lop__31000003_jpg=picture(), notes_txt=b"x")
    assert [file.number for file in read_photo_archive("a.zip", packed)] == ["31000003"]


@pytest.mark.parametrize(
    "content",
    [b"no archive", archive(notes_txt=b"x"), archive(a__1_jpg=b"x", b__1_jpg=b"x")],
    ids=["not an archive", "no picture", "two for one"],
)
def test_an_archive_that_cannot_be_meant_is_refused(content: bytes) -> None:
    with pytest.raises(FileRefused):
        list(read_photo_archive("a.zip", content))


async def test_photos_are_stored_by_number_and_replaced(session: AsyncSession, exam: Exam, now: datetime) -> None:
    people = await enrol(session, exam, 3, now=now)
    files = [PhotoFile(f"{one.number}.jpg", one.number or "", picture()) for one in people[:2]]
    report = await service.import_photos(session, exam, files, "anh.zip", actor=ACTOR, now=now)
    assert (report.photos, report.without) == (2, 1)
    again = [PhotoFile("x.png", people[0].number or "", picture(400, 400, "PNG"))]
    await service.import_photos(session, exam, again, "anh2.zip", actor=ACTOR, now=now)
    rows = (await session.execute(select(CandidatePhotoRow))).scalars().all()
    assert {row.candidate_id for row in rows} == {one.id for one in people[:2]}
    assert {row.source_file for row in rows} == {f"{people[1].number}.jpg", "x.png"}


async def test_one_wrong_file_refuses_them_all_and_a_dry_run_writes_nothing(
    session: AsyncSession, exam: Exam, now: datetime
) -> None:
    [first, *_] = await enrol(session, exam, 2, now=now)
    good = PhotoFile("good.jpg", first.number or "", picture())
    wrong = [PhotoFile("99999999.jpg", "99999999", picture()), PhotoFile("b.jpg", first.number or "", b"x")]
    with pytest.raises(FileRefused) as refused:
        await service.import_photos(session, exam, [*wrong, good], "anh.zip", actor=ACTOR, now=now)
    assert [error.place for error in refused.value.errors] == ["99999999.jpg", "b.jpg"]
    await service.import_photos(session, exam, [good], "anh.zip", is_dry_run=True, actor=ACTOR, now=now)
    assert await photo_store.count_photos(session, exam.id) == 0
