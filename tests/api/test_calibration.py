"""Calibration over HTTP and by command: refused in words with a code, closed to who may not, nothing half-written."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from exam_engine.infra.database import transaction
from tests.api.conftest import House
from tests.api.test_refusals import command

RUNS = "/api/exams/thi-thu-tn-2027/subjects/TOAN/calibration-runs"


async def count_runs(house: House) -> int:
    async with transaction(house.engine.sessions) as session:
        return int(await session.scalar(text("select count(*) from calibration_run")) or 0)


async def test_a_subject_without_a_closed_sitting_is_refused_with_the_reason(house: House) -> None:
    async with house.staff("psychometrician") as client:
        answer = await client.post(RUNS, json={"family": "2pl"}, headers={"accept-language": "vi"})
        assert (answer.status_code, answer.json()["code"]) == (422, "sittings-unsuitable")
        assert "chưa có ca thi nào của môn này đã đóng" in answer.json()["detail"]
        assert (await client.get(RUNS)).json() == []
    assert await count_runs(house) == 0


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"family": "5pl"}, id="no such model"),
        pytest.param({"sittings": ["x"]}, id="no identifier"),
        pytest.param({"surprise": 1}, id="an unknown field"),
    ],
)
async def test_an_order_that_is_none_is_refused(house: House, body: dict[str, object]) -> None:
    async with house.staff("psychometrician") as client:
        assert (await client.post(RUNS, json=body)).status_code == 400


async def test_who_may_not_calibrate_is_refused(house: House) -> None:
    async with house.staff("board") as client:
        assert (await client.post(RUNS, json={})).status_code == 403
        assert (await client.get(RUNS)).status_code == 200
    async with house.staff("author") as client:
        assert (await client.get(RUNS)).status_code == 403


async def test_a_run_that_is_not_there_is_not_found(house: House) -> None:
    async with house.staff("psychometrician") as client:
        for address in (f"/api/calibration-runs/{uuid4()}", f"/api/calibration-runs/{uuid4()}/items"):
            answer = await client.get(address)
            assert (answer.status_code, answer.json()["code"]) == (404, "calibration-run-unknown")
        answer = await client.post(f"/api/calibration-runs/{uuid4()}/accept", json={})
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("scale", "status"),
    [
        pytest.param({"lowest": 800, "highest": 200}, 422, id="ends that cross"),
        pytest.param({"slope": 0}, 422, id="a slope of nothing"),
        pytest.param({"decimals": 5}, 400, id="too many decimals"),
    ],
)
async def test_a_scale_that_contradicts_itself_is_refused(house: House, scale: dict[str, float], status: int) -> None:
    async with house.staff("board") as client:
        body = {"reason": "r", "scale": scale}
        assert (await client.post("/api/exams/thi-thu-tn-2027/irt-runs", json=body)).status_code == status


async def test_the_command_says_why_it_refuses_and_writes_nothing(house: House) -> None:
    code, _, err = await command(house, "calibration", "run", "thi-thu-tn-2027", "TOAN", "--as", "psychometrician")
    assert (code, "no sitting of this subject is closed" in err) == (1, True)
    code, _, err = await command(house, "calibration", "run", "thi-thu-tn-2027", "TOAN", "--model", "5pl")
    assert (code, "5pl" in err) == (2, True)
    code, _, err = await command(house, "calibration", "show", "thi-thu-tn-2027", "TOAN")
    assert (code, "there is no calibration run" in err) == (1, True)
    code, _, err = await command(house, "calibration", "accept", "thi-thu-tn-2027", "TOAN")
    assert code == 2
    assert await count_runs(house) == 0
