"""`exam-engine sitting release-code` and `restore` on real servers."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest_asyncio

from exam_engine.delivery.hand_over import HandOver, HandOverFile, SignedContent
from exam_engine.delivery.sealing import SittingSeals, hand_over_label
from exam_engine.delivery.wire import SaveResponse
from exam_engine.infra import sealing
from exam_engine.infra.clock import system_clock, to_milliseconds
from exam_engine.infra.secrets import load_master_secret
from exam_engine.infra.settings import Settings
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import Hall
from tests.exam_engine.delivery.test_commands import Command, command

__all__ = ["command"]


@pytest_asyncio.fixture
async def hall(opened: HallMaker, redis: Any) -> Hall:
    return await opened(candidates=2, rooms=1, starts_at=system_clock() - timedelta(minutes=1))


def _file(settings: Settings, hall: Hall, path: Path) -> Path:
    """A seat that began without a network a moment after the start."""
    attempt = hall.attempt()
    seals = SittingSeals(load_master_secret(settings), hall.sitting.id, hall.form_hash)
    started_ms = to_milliseconds(hall.sitting.starts_at) + 1000
    content = msgspec.json.encode(HandOver(attempt, "d.t", 0, started_ms, [SaveResponse(1, 1, "B", 0)])).decode()
    signed = SignedContent(content, sealing.mac(seals.seat_key(attempt), content.encode()).hex())
    box = sealing.seal_box(seals.hand_over_key, hand_over_label(hall.sitting.id, attempt), msgspec.json.encode(signed))
    path.write_bytes(msgspec.json.encode(HandOverFile("exam-hand-over", 1, hall.sitting.id, attempt, box)))
    return path


def test_a_file_is_restored_by_the_shell_and_an_edited_one_refused(
    command: Command, hall: Hall, settings: Settings, tmp_path: Path
) -> None:
    file = _file(settings, hall, tmp_path / "ban-giao.exam.json")
    counted = command("restore", file, "--as", hall.board, "--dry-run", "--json")
    assert (counted.exit_code, json.loads(counted.stdout)["taken"]) == (0, 1), counted.output
    taken = command("restore", file, "--as", hall.board, "--json")
    assert (taken.exit_code, json.loads(taken.stdout)["has_started"]) == (0, True), taken.output
    assert "1 were known already" in command("restore", file, "--as", hall.board).output
    changed = msgspec.json.decode(file.read_bytes())
    file.write_bytes(msgspec.json.encode({**changed, "attempt_id": str(hall.attempt(1))}))
    refused = command("restore", file, "--as", hall.board)
    assert refused.exit_code == 1
    assert "was changed" in refused.output


def test_a_code_is_told_for_rooms_of_the_sitting_only(command: Command, hall: Hall) -> None:
    room = hall.seats[0].room_code
    told = command("release-code", hall.sitting.code, "--room", room, "--as", hall.board)
    assert told.exit_code == 0, told.output
    assert len(told.stdout.strip().split("-")) == 3
    refused = command("release-code", hall.sitting.code, "--room", "no-such-room", "--as", hall.board)
    assert refused.exit_code == 1
    assert "no-such-room" in refused.output
