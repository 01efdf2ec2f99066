"""What invigilators do over HTTP: photos and name checks, incidents, the record of a seat, Safe Exam Browser."""

import io
import plistlib
import zipfile
from hashlib import sha256
from uuid import uuid4

import httpx
import pypdfium2
import pytest
from PIL import Image

from exam_engine.enrolment.photo_files import HEIGHT, WIDTH
from exam_engine.invigilation.safe_browser import config_key
from tests.api.conftest import House
from tests.api.rooms import Room, practice_room

EXAM = "lam-quen-2027"


def photos(*numbers: str, content: bytes | None = None) -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (90, 120), "teal").save(picture, "PNG")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in numbers:
            archive.writestr(f"{number}.png", content or picture.getvalue())
    return packed.getvalue()


async def upload(client: httpx.AsyncClient, content: bytes) -> httpx.Response:
    files = {"file": ("anh.zip", content, "application/zip")}
    return await client.post(f"/staff/exams/{EXAM}/photos", files=files, headers={"accept": "text/html"})


async def board_seat(client: httpx.AsyncClient, room: Room, attempt: object) -> dict[str, object]:
    board = (await client.get(f"{room.path}/board")).json()
    return next(seat for seat in board["seats"] if seat["attempt_id"] == str(attempt))


async def test_a_photo_is_for_the_staff_of_the_room_alone(house: House) -> None:
    room = await practice_room(house)
    numbers = [one.number or "" for one in await house.candidates(EXAM)]
    attempt = room.seats[0]
    async with house.staff("board") as board:
        refused = await upload(board, photos(numbers[0], "99999999"))
        assert refused.status_code == 422
        assert "99999999" in refused.text
        assert (await board.get(f"{room.path}/attempts/{attempt}/photo")).json()["code"] == "photo-missing"
        assert (await upload(board, photos(*numbers))).status_code == 303
    async with house.staff("invigilator") as client:
        answer = await client.get(f"{room.path}/attempts/{attempt}/photo")
        assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("image/jpeg", "private, no-store")
        assert Image.open(io.BytesIO(answer.content)).size == (WIDTH, HEIGHT)
        assert (await board_seat(client, room, attempt))["photo"]
        elsewhere = await client.get(f"{room.path}/attempts/{uuid4()}/photo")
        assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "seat-elsewhere")
        assert (await upload(client, photos(numbers[0]))).status_code == 403
    for user, status in (("invigilator2", 403), ("author", 403)):
        async with house.staff(user) as client:
            assert (await client.get(f"{room.path}/attempts/{attempt}/photo")).status_code == status
    async with house.browser() as visitor, house.seat(EXAM, 0) as seat:
        assert (await visitor.get(f"{room.path}/attempts/{attempt}/photo")).status_code == 401
        assert (await seat.get(f"{room.path}/attempts/{attempt}/photo")).status_code == 401


async def test_a_name_check_shows_on_the_board_and_can_be_taken_back(house: House) -> None:
    room = await practice_room(house)
    attempt = room.seats[1]
    path = f"{room.path}/attempts/{attempt}/identity"
    async with house.staff("invigilator") as client:
        for verdict, shown in (("doubtful", "doubtful"), ("matches", "matches"), ("cleared", None)):
            assert (await client.post(path, json={"identity": verdict, "note": "ảnh cũ"})).status_code == 200
            assert (await board_seat(client, room, attempt)).get("identity") == shown
        assert (await client.post(path, json={"identity": "certainly"})).status_code == 400
        acts = (await client.get(f"{room.path}/acts")).json()
        assert [act["detail"]["identity"] for act in acts[:3]] == ["cleared", "matches", "doubtful"]
        assert acts[0]["undo"] == "identity"
    async with house.staff("author") as client:
        assert (await client.post(path, json={"identity": "matches"})).status_code == 403


async def test_what_a_seat_reported_stops_asking_for_help_once_somebody_looked(house: House) -> None:
    room = await practice_room(house)
    async with house.seat(EXAM, 9) as seat, house.staff("invigilator") as client:
        attempt = (await seat.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"]
        await seat.post(f"/api/attempts/{attempt}/start", json={"client_id": "pc.a"})
        event = {"kind": "fullscreen_left", "client_time_ms": 1, "detail": {"seconds": 4}}
        await seat.post(f"/api/attempts/{attempt}/events", json={"events": [event]})
        flags = (await board_seat(client, room, attempt))["flags"]
        assert [flag["kind"] for flag in flags] == ["fullscreen_left"]  # type: ignore[attr-defined]
        assert (await client.post(f"{room.path}/attempts/{attempt}/review")).status_code == 200
        after = await board_seat(client, room, attempt)
        assert "flags" not in after
        assert [event["kind"] for event in after["events"]] == ["fullscreen_left"]  # type: ignore[attr-defined]
        assert after["state"] == "running"


async def test_an_incident_is_numbered_once_readable_printable_and_withdrawn_with_a_reason(house: House) -> None:
    room = await practice_room(house)
    path = f"{room.path}/incidents"
    async with house.staff("invigilator") as client:
        now = house.engine.clock().isoformat()
        report = {
            "request": uuid4().hex,
            "kind": "power",
            "text": "Mất điện <toàn> phòng & hành lang.\nCó điện lại sau 4 phút.",
            "began_at": now,
            "attempts": [str(room.seats[0]), str(room.seats[3])],
        }
        stored = (await client.post(path, json=report)).json()
        again = (await client.post(path, json=report)).json()
        assert again == stored
        assert [seat["attempt_id"] for seat in stored["seats"]] == report["attempts"]
        assert (await board_seat(client, room, room.seats[0]))["incidents"] == 1
        timeline = (await client.get(f"{room.path}/attempts/{room.seats[0]}/timeline")).json()
        assert "incident" in {moment["kind"] for moment in timeline}
        page = await client.get(f"/staff/sittings/{room.sitting}/rooms/{room.room}/incidents.pdf")
        text = pypdfium2.PdfDocument(page.content)[0].get_textpage().get_text_range()
        assert "Mất điện <toàn> phòng & hành lang." in text
        gone = await client.post(f"{path}/{stored['id']}/withdraw", json={"reason": "nhầm phòng"})
        assert gone.json()["withdrawn_reason"] == "nhầm phòng"
        twice = await client.post(f"{path}/{stored['id']}/withdraw", json={"reason": "nhầm"})
        assert (twice.status_code, twice.json()["code"]) == (409, "incident-withdrawn")
        assert "incidents" not in await board_seat(client, room, room.seats[0])
        assert stored["number"] in [incident["number"] for incident in (await client.get(path)).json()]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        pytest.param({"text": "  "}, 422, "incident-invalid", id="no words"),
        pytest.param({"began_at": "2020-01-01T00:00:00+00:00"}, 422, "incident-invalid", id="years ago"),
        pytest.param({"began_at": "2026-01-01T00:00:00"}, 400, "request-invalid", id="no offset"),
        pytest.param({"kind": "theft"}, 400, "request-invalid", id="no such kind"),
        pytest.param({"attempts": [str(uuid4())]}, 404, "seat-elsewhere", id="a seat elsewhere"),
    ],
)
async def test_an_incident_that_cannot_be_meant_is_refused_and_not_stored(
    house: House, changes: dict[str, object], status: int, code: str
) -> None:
    room = await practice_room(house)
    async with house.staff("invigilator") as client:
        before = (await client.get(f"{room.path}/incidents")).json()
        report = {"request": uuid4().hex, "kind": "other", "text": "x", "began_at": house.engine.clock().isoformat()}
        answer = await client.post(f"{room.path}/incidents", json=report | changes)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert (await client.get(f"{room.path}/incidents")).json() == before


async def test_the_sheets_of_a_room_are_printed(house: House) -> None:
    room = await practice_room(house)
    people = await house.candidates(EXAM)
    base = f"/staff/sittings/{room.sitting}/rooms/{room.room}"
    async with house.staff("invigilator") as client:
        for name in ("list.pdf", "seats.pdf"):
            answer = await client.get(f"{base}/{name}")
            text = " ".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(answer.content))
            words = set(text.split())
            assert all(one.number in words for one in people), name
            assert all(set(one.full_name.split()) <= words for one in people), name
    async with house.staff("author") as client:
        assert (await client.get(f"{base}/list.pdf")).status_code == 403


async def test_a_seat_shows_its_safe_browser_and_a_failed_check_only_warns(house: House) -> None:
    room = await practice_room(house)
    path = f"/api/sittings/{room.sitting}/safe-browser"
    async with house.staff("board") as board, house.seat(EXAM, 10) as seat:
        attempt = (await seat.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"]
        check = f"/api/attempts/{attempt}/safe-browser"
        await seat.post(f"/api/attempts/{attempt}/start", json={"client_id": "pc.s"})
        assert (await board.get(f"{path}/file")).json()["code"] == "safe-browser-missing"
        assert (await seat.post(check, json={})).json() == {"is_needed": False, "is_right": False}
        made = (await board.post(path, json={"quit_password": "4711"})).json()
        file = await board.get(f"{path}/file")
        assert file.headers["content-type"].startswith("application/seb")
        assert config_key(plistlib.loads(file.content)) == made["config_key"]
        try:
            page = f"{house.url}/exam/?exam={EXAM}"
            by_script = {
                "page_url": page,
                "config_key_hash": sha256(f"{page}{made['config_key']}".encode()).hexdigest(),
            }
            unchecked = await board_seat(board, room, attempt)
            assert "no_safe_browser" in {flag["kind"] for flag in unchecked["flags"]}  # type: ignore[attr-defined]
            by_header = sha256(f"{house.url}{check}{made['config_key']}".encode()).hexdigest()
            header = {"X-SafeExamBrowser-ConfigKeyHash": by_header}
            assert (await seat.post(check, json={})).json() == {"is_needed": True, "is_right": False}
            assert (await seat.post(check, json=by_script)).json()["is_right"]
            assert (await seat.post(check, json={}, headers=header)).json()["is_right"]
            stolen = by_script | {"page_url": "https://elsewhere.example/exam/"}
            assert not (await seat.post(check, json=stolen)).json()["is_right"]
            shown = await board_seat(board, room, attempt)
            assert shown["state"] == "running"
            counts = {event["kind"]: event["times"] for event in shown["events"]}  # type: ignore[attr-defined]
            assert counts["seb_check_failed"] == 2
        finally:
            assert (await board.delete(path)).json() == {"dropped": True}
    async with house.staff("invigilator") as client:
        assert (await client.post(path, json={})).status_code == 403


async def test_the_safe_browser_file_is_made_downloaded_and_dropped_on_its_page(house: House) -> None:
    room = await practice_room(house)
    page = f"/staff/sittings/{room.sitting}/safe-browser"
    async with house.staff("board") as board:
        made = await board.post(page, data={"quit_password": "4711"})
        assert made.status_code == 303
        shown = await board.get(page, headers={"accept": "text/html"})
        assert f"/api/sittings/{room.sitting}/safe-browser/file" in shown.text
        assert (await board.post(page, data={"act": "drop"})).status_code == 303
        sitting = (await board.get("/api/sittings", params={"exam": EXAM})).json()[0]
        assert sitting["state"] == "open"
        again = await board.post(page, data={"act": "drop"}, headers={"accept": "application/json"})
        assert again.json()["code"] == "safe-browser-missing"
