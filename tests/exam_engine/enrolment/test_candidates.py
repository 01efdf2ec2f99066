"""Lists, numbers, seats, cards and codes on the real database."""

from datetime import datetime, timedelta

import msgspec
import pytest
import pytest_asyncio
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.enrolment import service
from exam_engine.enrolment.candidate_lists import CandidateOrder, CandidateQuery
from exam_engine.enrolment.codes import CodePurpose, look_up_code, sit_code
from exam_engine.enrolment.errors import CodeExpired, CodeRefused, NumberingRefused, PrefixUnknown, SeatingRefused
from exam_engine.enrolment.model import CodeClaim, Exam, ExamState, SeatingRules
from exam_engine.infra.files import read_table

ACTOR = "person:board"
SECRET = b"the secret of one installation, thirty-two bytes or more"
NAMES = ["Nguyễn Thị Hoà", "Trần Thu Hà", "Lê Văn Hạ", "K'Brơi", "H'Hen Niê", "Đặng Đức Đạt", "Dương Dạt", "Y"]
BY_NAME = ["Dương Dạt", "Đặng Đức Đạt", "Trần Thu Hà", "Lê Văn Hạ", "Nguyễn Thị Hoà", "K'Brơi", "H'Hen Niê", "Y"]


@pytest_asyncio.fixture
async def enrolled(session: AsyncSession, exam: Exam, province: str, now: datetime) -> Exam:
    text = "Họ và tên,Trường\n" + "".join(f"{name},{province}-{'AB'[i % 2]}\n" for i, name in enumerate(NAMES))
    await service.import_candidates(session, exam, read_table(text.encode(), "c.csv"), actor=ACTOR, now=now)
    return exam


async def names(session: AsyncSession, exam: Exam, query: CandidateQuery) -> list[str]:
    page = await service.list_candidates(session, exam.id, query)
    return [c.full_name for c in page.candidates]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("hoa", ["Nguyễn Thị Hoà"]),
        ("hòa", ["Nguyễn Thị Hoà"]),
        ("hà", ["Trần Thu Hà"]),
        ("ha", ["Lê Văn Hạ", "Trần Thu Hà"]),
        ("đạt", ["Đặng Đức Đạt"]),
        ("dat", ["Dương Dạt", "Đặng Đức Đạt"]),
        ("k’broi", ["K'Brơi"]),
        ("niê hen", ["H'Hen Niê"]),
        ("100%", []),
        ("_", []),
        ("'; drop table candidate; --", []),
    ],
)
async def test_search_with_and_without_marks(
    session: AsyncSession, enrolled: Exam, text: str, found: list[str]
) -> None:
    assert sorted(await names(session, enrolled, CandidateQuery(text=text))) == found


async def test_lists_filter_sort_and_page(session: AsyncSession, enrolled: Exam, now: datetime) -> None:
    by_name = CandidateQuery(order=CandidateOrder.NAME)
    assert await names(session, enrolled, by_name) == BY_NAME
    descending = msgspec.structs.replace(by_name, is_descending=True)
    assert await names(session, enrolled, descending) == BY_NAME[::-1]
    page = await service.list_candidates(
        session, enrolled.id, CandidateQuery(order=CandidateOrder.NAME, offset=2, limit=3)
    )
    assert (page.total, [c.full_name for c in page.candidates]) == (8, BY_NAME[2:5])
    assert await names(session, enrolled, CandidateQuery(has_number=True)) == []
    await service.assign_numbers(session, enrolled, "31", actor=ACTOR, now=now)
    assert await names(session, enrolled, CandidateQuery(text="3100000")) == BY_NAME
    assert await names(session, enrolled, CandidateQuery(text="31000003")) == [BY_NAME[2]]


async def test_numbers_are_given_once_and_kept(session: AsyncSession, enrolled: Exam, now: datetime) -> None:
    report = await service.assign_numbers(session, enrolled, "31", actor=ACTOR, now=now)
    assert (report.given, report.first, report.last) == (8, "31000001", "31000008")
    late = read_table("Họ và tên\nBùi An\n".encode(), "late.csv")
    await service.import_candidates(session, enrolled, late, actor=ACTOR, now=now)
    report = await service.assign_numbers(session, enrolled, "31", actor=ACTOR, now=now)
    assert (report.given, report.first) == (1, "31000009")
    report = await service.assign_numbers(session, enrolled, "31", is_anew=True, actor=ACTOR, now=now)
    assert report.given == 9
    first = await service.require_candidate(session, enrolled.id, "31000001")
    assert first.full_name == "Bùi An"


async def test_numbers_stay_once_seats_were_given_or_the_exam_is_open(
    session: AsyncSession, enrolled: Exam, now: datetime
) -> None:
    with pytest.raises(PrefixUnknown):
        await service.assign_numbers(session, enrolled, "03", actor=ACTOR, now=now)
    with pytest.raises(SeatingRefused, match="no number"):
        await service.assign_rooms(session, enrolled, SeatingRules(), actor=ACTOR, now=now)
    await service.assign_numbers(session, enrolled, "31", actor=ACTOR, now=now)
    await service.assign_rooms(session, enrolled, SeatingRules(), actor=ACTOR, now=now)
    with pytest.raises(NumberingRefused):
        await service.assign_numbers(session, enrolled, "31", is_anew=True, actor=ACTOR, now=now)
    opened = await service.set_state(session, enrolled, ExamState.OPEN, actor=ACTOR, now=now)
    with pytest.raises(NumberingRefused):
        await service.assign_numbers(session, opened, "31", is_anew=True, actor=ACTOR, now=now)


async def test_seats_follow_numbers_and_rooms_serve_every_subject(
    session: AsyncSession, enrolled: Exam, now: datetime
) -> None:
    await service.assign_numbers(session, enrolled, "31", actor=ACTOR, now=now)
    rules = SeatingRules(subject_codes=("TOAN", "VAN"), capacity=3, last_room_capacity=3)
    report = await service.assign_rooms(session, enrolled, rules, actor=ACTOR, now=now)
    assert (report.rooms, report.seats) == (3, 16)
    subject = await service.require_subject(session, enrolled.id, "TOAN")
    people = await service.load_subject_candidates(session, subject.id)
    assert [(p.number, p.room_code, p.seat_number) for p in people] == [
        (f"3100000{i + 1}", f"P00{i // 3 + 1}", i % 3 + 1) for i in range(8)
    ]
    with pytest.raises(SeatingRefused, match="already"):
        await service.assign_rooms(session, enrolled, rules, actor=ACTOR, now=now)
    again = msgspec.structs.replace(rules, capacity=24, last_room_capacity=28, is_anew=True)
    assert (await service.assign_rooms(session, enrolled, again, actor=ACTOR, now=now)).rooms == 1
    assert {p.room_code for p in await service.load_subject_candidates(session, subject.id)} == {"P001"}
    room = (await service.load_rooms(session, enrolled.id))[0]
    assert len(await names(session, enrolled, CandidateQuery(room_id=room.id))) == 8


async def test_cards_hold_everything_a_candidate_needs(session: AsyncSession, enrolled: Exam, now: datetime) -> None:
    await service.assign_numbers(session, enrolled, "31", actor=ACTOR, now=now)
    await service.assign_rooms(session, enrolled, SeatingRules(), actor=ACTOR, now=now)
    cards = await service.candidates_for_cards(
        session, enrolled, secret=SECRET, base_url="https://thi.example/", actor=ACTOR, now=now
    )
    assert [card.full_name for card in cards] == BY_NAME
    card = cards[0]
    assert (card.number, card.place, card.room, card.seat) == ("31000001", "Hải Phòng", "P001", 1)
    assert card.sit_code == sit_code(SECRET, enrolled.code, "31000001", 1)
    assert card.sign_in_url == f"https://thi.example/exam/?exam={enrolled.code}"
    assert [(s.code, s.room) for s in card.subjects] == [("TOAN", "P001"), ("VAN", None), ("LI", None), ("HOA", None)]


def claim(exam: Exam, code: str, **changes: object) -> CodeClaim:
    wanted = CodeClaim(exam_code=exam.code, number="31000001", code=code, purpose=CodePurpose.LOOK_UP)
    return msgspec.structs.replace(wanted, **changes)


async def test_only_number_and_code_together_open(session: AsyncSession, enrolled: Exam, now: datetime) -> None:
    await service.assign_numbers(session, enrolled, "31", actor=ACTOR, now=now)
    code = look_up_code(SECRET, enrolled.code, "31000001", 1)
    right = claim(enrolled, code.lower().replace("-", ""))
    exam, candidate = await service.require_candidate_by_code(session, right, secret=SECRET, now=now)
    assert (exam, candidate.number) == (enrolled, "31000001")
    wrong = [
        claim(enrolled, code, purpose=CodePurpose.SIT),
        claim(enrolled, code, number="31000002"),
        claim(enrolled, look_up_code(SECRET, enrolled.code, "99999999", 1), number="99999999"),
        claim(enrolled, code, exam_code="khong-co"),
        claim(enrolled, ""),
        claim(enrolled, "\x00", number="\x00"),
    ]
    refusals = set()
    for attempt in wrong:
        with pytest.raises(CodeRefused) as refused:
            await service.require_candidate_by_code(session, attempt, secret=SECRET, now=now)
        refusals.add(str(refused.value))
    assert len(refusals) == 1


async def test_an_unknown_exam_or_number_asks_the_database_the_same_as_a_wrong_code(
    session: AsyncSession, enrolled: Exam, now: datetime
) -> None:
    await service.assign_numbers(session, enrolled, "31", actor=ACTOR, now=now)
    asked: list[str] = []
    connection = (await session.connection()).sync_connection
    assert connection is not None

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(connection, "before_cursor_execute", note)
    statements = []
    for attempt in (
        claim(enrolled, "0000"),
        claim(enrolled, "0000", number="99999999"),
        claim(enrolled, "", exam_code="x"),
    ):
        asked.clear()
        with pytest.raises(CodeRefused):
            await service.require_candidate_by_code(session, attempt, secret=SECRET, now=now)
        statements.append(tuple(asked))
    event.remove(connection, "before_cursor_execute", note)
    assert statements[0] == statements[1] == statements[2] != ()


async def test_an_expired_code_says_so_and_only_to_who_holds_it(
    session: AsyncSession, enrolled: Exam, now: datetime
) -> None:
    await service.assign_numbers(session, enrolled, "31", actor=ACTOR, now=now)
    await service.set_codes_valid_until(session, enrolled, now + timedelta(days=1), actor=ACTOR, now=now)
    code = look_up_code(SECRET, enrolled.code, "31000001", 1)
    await service.require_candidate_by_code(session, claim(enrolled, code), secret=SECRET, now=now)
    later = now + timedelta(days=1)
    with pytest.raises(CodeExpired):
        await service.require_candidate_by_code(session, claim(enrolled, code), secret=SECRET, now=later)
    with pytest.raises(CodeRefused):
        await service.require_candidate_by_code(session, claim(enrolled, "0000"), secret=SECRET, now=later)


async def test_a_reissued_card_makes_the_old_code_worthless(
    session: AsyncSession, enrolled: Exam, now: datetime
) -> None:
    await service.assign_numbers(session, enrolled, "31", actor=ACTOR, now=now)
    candidate = await service.require_candidate(session, enrolled.id, "31000001")
    old = look_up_code(SECRET, enrolled.code, "31000001", 1)
    renewed = await service.reissue_codes(session, enrolled, candidate, reason="lost", actor=ACTOR, now=now)
    assert renewed.code_version == 2
    with pytest.raises(CodeRefused):
        await service.require_candidate_by_code(session, claim(enrolled, old), secret=SECRET, now=now)
    new = look_up_code(SECRET, enrolled.code, "31000001", 2)
    await service.require_candidate_by_code(session, claim(enrolled, new), secret=SECRET, now=now)
