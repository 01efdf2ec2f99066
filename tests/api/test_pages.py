"""The HTML pages over a real engine after an exam day: every page of every role, in Vietnamese, accessible, honest."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urljoin, urlsplit

import httpx
import pypdfium2
import pytest
import pytest_asyncio
from lxml import html
from playwright.async_api import Browser, Page

from exam_engine.cli.rehearsal.bot import Habits
from exam_engine.cli.rehearsal.day import PASSWORD, Day, ExamOfDay
from exam_engine.cli.rehearsal.stack import own_installation
from exam_engine.infra.i18n.catalogue import load_catalogue
from exam_engine.sample import population
from exam_engine.sample.loader import load_sample
from exam_engine.sample.sign_ins import CandidateSignIn, candidate_sign_ins
from exam_engine.wiring import Engine, open_engine
from tests.architecture.project import PROJECT
from tests.architecture.test_catalogues import messages_of
from tests.proctor_client.conftest import AXE

pytestmark = pytest.mark.timeout(300)

ROLES = ("author", "reviewer", "developer", "invigilator", "marker", "psychometrician", "board", "admission", "admin")
IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
EACH_SHAPE = 2  # pages of one kind that are opened; a hundred items look alike
NEW_ITEM = "code,kind,topic,level,stem,option_a,option_b,option_c,option_d,key\n"


@pytest_asyncio.fixture(scope="module")
async def after_the_day() -> AsyncIterator[Engine]:
    graduates = population.mock_graduation(4, 2027)
    applicants = population.grade_10_intake(2, 2027)
    populations = {
        population.GRADUATION: lambda: graduates,
        population.INTAKE: lambda: applicants,
        population.PRACTICE: partial(population.practice, 2),
    }
    exams = [
        ExamOfDay(graduates.exam, graduates.abilities),
        ExamOfDay(applicants.exam, applicants.abilities, admits=True),
    ]
    with own_installation() as settings:
        async with open_engine(settings) as engine:
            await load_sample(engine, populations=populations)
            await Day(engine, settings.base_url, 2027, Habits(batch=20), lambda *_: None).run(exams)
            yield engine


@asynccontextmanager
async def visitor(engine: Engine, role: str = "") -> AsyncIterator[httpx.AsyncClient]:
    """A browser without script; signed in if a role is named."""
    headers = {"accept": "text/html"}
    async with httpx.AsyncClient(base_url=engine.settings.base_url, headers=headers, timeout=60.0) as client:
        if role:
            answer = await send(client, "/staff/sign-in", user_name=role, password=PASSWORD)
            assert answer.status_code == 303
        yield client


async def send(
    client: httpx.AsyncClient, path: str, files: dict[str, tuple[str, bytes]] | None = None, **data: str
) -> httpx.Response:
    """Post a form as the page would: with the token of the page's own session."""
    if "csrftoken" not in client.cookies:
        await client.get("/staff/sign-in")
    fields = {"_csrf_token": client.cookies["csrftoken"], **data}
    return await client.post(path, data=fields, files=files)


async def walk(client: httpx.AsyncClient, start: str) -> AsyncIterator[tuple[str, httpx.Response]]:
    """Follow every link inside the house, each kind of page a few times."""
    waiting, seen, shapes = [start], {start}, Counter[str]()
    while waiting:
        address = waiting.pop(0)
        parts = urlsplit(address)
        names = "&".join(sorted(pair.partition("=")[0] for pair in parts.query.split("&")))
        shape = f"{IDENTIFIER.sub('*', parts.path)}?{names}"
        shapes[shape] += 1
        if shapes[shape] > EACH_SHAPE:
            continue
        answer = await client.get(address)
        yield address, answer
        if answer.headers.get("content-type", "").startswith("text/html"):
            for link in html.fromstring(answer.text).iterlinks():
                target = urljoin(address, link[2]).partition("#")[0]
                is_ours = target.startswith("/") and not target.startswith(("/static", "/media", "/exam"))
                if link[0].tag == "a" and is_ours and "lang=" not in target and target not in seen:
                    seen.add(target)
                    waiting.append(target)


@pytest.fixture(scope="module")
def english() -> set[str]:
    """Messages of the pages that read otherwise in Vietnamese."""
    known = load_catalogue("vi")
    ids = {
        message
        for path in sorted((PROJECT / "api").rglob("*"))
        if path.suffix in {".py", ".html"}
        for _, message in messages_of(path)
    }
    return {message for message in ids if known.get(message, message) != message and "{" not in message}


def texts_of(page: str) -> Iterator[str]:
    for element in html.fromstring(page).iter():
        if not isinstance(element.tag, str) or element.tag in {"script", "item-preview"}:
            continue
        yield from ((text or "").strip() for text in (element.text, element.tail))
        yield from (element.get(name, "") for name in ("aria-label", "data-label", "data-confirm", "title"))


@pytest.mark.parametrize("role", ["", *ROLES])
async def test_every_page_a_person_can_reach_opens_in_vietnamese(
    after_the_day: Engine, english: set[str], role: str
) -> None:
    pages = 0
    async with visitor(after_the_day, role) as client:
        async for address, answer in walk(client, "/staff" if role else "/"):
            if answer.is_redirect:
                continue
            assert answer.status_code == 200, f"{address} answered {answer.status_code}"
            if answer.headers["content-type"].startswith("text/html"):
                pages += 1
                assert '<html lang="vi"' in answer.text, address
                assert english & set(texts_of(answer.text)) == set(), address
    assert pages >= (2 if role in {"", "marker"} else 5)


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("author", "/staff/forms"),
        ("author", "/staff/people"),
        ("reviewer", "/staff/items/new"),
        ("developer", "/staff/results"),
        ("invigilator", "/staff/items"),
        ("marker", "/staff/exams"),
        ("admission", "/staff/audit"),
        ("admin", "/staff/marking"),
    ],
)
async def test_a_page_outside_a_role_is_refused_in_words(after_the_day: Engine, role: str, path: str) -> None:
    async with visitor(after_the_day, role) as client:
        answer = await client.get(path, follow_redirects=True)
        assert answer.status_code == 403
        assert "Bạn không có quyền làm việc này" in answer.text


async def test_who_is_not_signed_in_is_led_to_the_door_and_back(after_the_day: Engine) -> None:
    async with visitor(after_the_day) as client:
        answer = await client.get("/staff/items")
        assert answer.headers["location"] == "/staff/sign-in?next=/staff/items"
        answer = await send(client, "/staff/sign-in", user_name="author", password=PASSWORD, next="/staff/items")
        assert answer.headers["location"] == "/staff/items"
        answer = await send(client, "/staff/sign-in", user_name="author", password=PASSWORD, next="//evil.example")
        assert answer.headers["location"] == "/staff"


async def test_an_unknown_address_is_a_page_too(after_the_day: Engine) -> None:
    async with visitor(after_the_day) as client:
        answer = await client.get("/khong-co-gi")
        assert answer.status_code == 404
        assert "Không có gì ở địa chỉ này" in answer.text


async def test_a_language_asked_for_is_remembered(after_the_day: Engine) -> None:
    async with visitor(after_the_day, "developer") as client:
        assert '<html lang="en"' in (await client.get("/staff/forms?lang=en")).text
        assert "Forms and paper codes" in (await client.get("/staff/forms")).text
        assert "Đề và mã đề" in (await client.get("/staff/forms?lang=vi")).text
        assert '<html lang="vi"' in (await client.get("/")).text


async def test_a_refused_form_keeps_what_was_typed(after_the_day: Engine) -> None:
    async with visitor(after_the_day) as client:
        answer = await send(client, "/staff/sign-in", user_name="author", password="wrong-password")
        assert answer.status_code == 401
        assert 'value="author"' in answer.text
        typed = {"exam": "thi-thu-tn-2027", "candidate_number": "31000001", "code": "0000-0000-0000"}
        answer = await send(client, "/results", **typed)
        assert answer.status_code in {401, 403, 422}
        assert 'value="31000001"' in answer.text
    async with visitor(after_the_day, "author") as client:
        typed = {"bank": "toan-12", "code": "T12-X", "kind": "single_choice", "stem": "Cho $\\frac{1}$", "key": "A"}
        answer = await send(client, "/staff/items/new", **typed)
        assert answer.status_code == 422
        assert "T12-X" in answer.text
        assert "\\frac{1}" in answer.text
    async with visitor(after_the_day, "board") as client:
        answer = await send(client, "/staff/sittings/new", code="CA-MOI", minutes="abc")
        assert answer.status_code == 422
        assert 'value="CA-MOI"' in answer.text


async def test_an_import_writes_nothing_before_it_is_confirmed(after_the_day: Engine) -> None:
    content = (NEW_ITEM + 'T12-TEST-1,single_choice,dao-ham,know,"Tính $1+1$",1,2,3,4,B\n').encode()
    async with visitor(after_the_day, "author") as author, visitor(after_the_day, "author2") as other:
        answer = await send(author, "/staff/items/import", files={"items": ("new.csv", content)}, bank="toan-12")
        assert answer.status_code == 200
        token = html.fromstring(answer.text).xpath("//input[@name='token']")[0].get("value")
        assert "Không có câu hỏi nào phù hợp" in (await author.get("/staff/items?q=T12-TEST-1")).text

        stolen = await send(other, "/staff/items/import/confirm", token=token)
        assert stolen.status_code == 422
        assert (await send(author, "/staff/items/import/confirm", token=token)).status_code == 303
        assert "T12-TEST-1" in (await author.get("/staff/items?q=T12-TEST-1")).text
        assert (await send(author, "/staff/items/import/confirm", token=token)).status_code == 422


async def test_a_broken_file_is_refused_with_every_place(after_the_day: Engine) -> None:
    rows = "candidate_number,full_name,date_of_birth,school\n31000001,An,32/13/2009,\n31000002,Bình,,XX\n"
    async with visitor(after_the_day, "board") as client:
        path = "/staff/exams/thi-thu-tn-2027/import/candidates"
        answer = await send(client, path, files={"file": ("bad.csv", rows.encode())})
    assert answer.status_code == 422
    assert "dòng 2, cột date_of_birth" in answer.text
    assert "dòng 3, cột school" in answer.text


def printed_text(content: bytes) -> str:
    with pypdfium2.PdfDocument(content) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


async def test_a_printed_paper_speaks_the_ministrys_words(after_the_day: Engine) -> None:
    async with visitor(after_the_day, "developer") as client:
        links = re.findall(r'href="(/staff/forms/[0-9a-f-]{36})"', (await client.get("/staff/forms")).text)
        pages = [(await client.get(link)).text for link in links]
        paper = next(link for page in pages for link in re.findall(r'href="(/api/[^"]+/papers/0101)"', page))
        printed = printed_text((await client.get(paper)).content)
    assert "Mã đề 0101" in printed
    assert "Thời gian làm bài: 90 phút, không kể thời gian phát đề" in printed
    assert re.search(r"Đề thi có 0\d trang", printed)
    assert "Họ, tên thí sinh" in printed
    assert "Số báo danh" in printed
    assert "Câu 1." in printed
    assert printed.rstrip().splitlines()[-1].startswith(("HẾT", "Mã đề"))


async def card_of(engine: Engine, exam: str) -> CandidateSignIn:
    return next(card for card in await candidate_sign_ins(engine) if card.exam == exam)


async def test_a_result_is_shown_with_its_steps_and_can_be_kept_as_a_slip(after_the_day: Engine) -> None:
    card = await card_of(after_the_day, "thi-thu-tn-2027")
    typed = {"exam": card.exam, "candidate_number": card.candidate_number, "code": card.look_up_code}
    async with visitor(after_the_day) as client:
        answer = await send(client, "/results", **typed)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert card.full_name not in answer.text
        assert "Cách tính từng bước" in answer.text
        slip = await send(client, "/results/slip", **typed)
        assert slip.headers["content-type"] == "application/pdf"
        printed = printed_text(slip.content)
        for words in ("Phiếu kết quả", "Điểm xét tốt nghiệp", card.candidate_number):
            assert words in printed
        assert card.look_up_code not in printed
        refused = await send(client, "/results/slip", **(typed | {"code": "0000-0000-0000"}))
        assert refused.status_code != 200
        assert b"%PDF" not in refused.content


async def test_an_admission_decision_is_explained(after_the_day: Engine) -> None:
    card = await card_of(after_the_day, "vao-10-2027")
    typed = {"exam": card.exam, "candidate_number": card.candidate_number, "code": card.look_up_code}
    async with visitor(after_the_day) as client:
        answer = await send(client, "/admission", **typed)
    assert answer.status_code == 200
    assert "Từng nguyện vọng và lý do" in answer.text


ACCESSIBLE = [
    ("", "/"),
    ("", "/results"),
    ("", "/distribution/thi-thu-tn-2027"),
    ("author", "/staff/items"),
    ("author", "/staff/items/new"),
    ("author", "/staff/items/import"),
    ("developer", "/staff/blueprints/toan-12"),
    ("board", "/staff/exams/thi-thu-tn-2027"),
    ("board", "/staff/exams/thi-thu-tn-2027/candidates"),
    ("board", "/staff/results/thi-thu-tn-2027"),
    ("admission", "/staff/admission/vao-10-2027"),
    ("admin", "/staff/audit"),
]


async def violations(page: Page) -> list[str]:
    await page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    await page.evaluate(AXE.read_text() + ";0")
    found: list[str] = await page.evaluate(
        """async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}))
        .violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).join(' | '))"""
    )
    return found


@pytest.mark.browser
async def test_the_main_pages_have_no_violation_of_wcag(after_the_day: Engine, browser: Browser) -> None:
    found: dict[str, list[str]] = {}
    for role in dict.fromkeys(role for role, _ in ACCESSIBLE):
        context = await browser.new_context(base_url=after_the_day.settings.base_url, reduced_motion="reduce")
        page = await context.new_page()
        if role:
            await page.goto("/staff/sign-in")
            await page.fill("#user_name", role)
            await page.fill("#password", PASSWORD)
            await page.click("main button")
            await page.wait_for_url("**/staff")
        for path in (path for owner, path in ACCESSIBLE if owner == role):
            await page.goto(path)
            await page.wait_for_function("customElements.get('theme-switch') !== undefined")
            if bad := await violations(page):
                found[path] = bad
        await context.close()
    assert found == {}
