"""Logs are events with fields; counters add up over processes. Run in processes of their own, since both are global."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LOG = """
from exam_engine.infra.settings import Settings
from exam_engine.infra.telemetry import logger, set_up_logging
import logging
set_up_logging(Settings(log_format=FORMAT))
logger.info("attempt_closed", attempt_id="a1", reason="time")
logging.getLogger("library").warning("said %s", "this")
logging.getLogger("library").info("a library's chatter")
"""

COUNT = """
from prometheus_client import Counter
from exam_engine.infra.telemetry import render_metrics
Counter("exam_test_saves", "Saves.").inc()
print(render_metrics("text/plain")[0].decode())
"""


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], env=os.environ | environment, capture_output=True, text=True, check=True
    )


def test_json_logs_are_one_event_a_line() -> None:
    lines = [json.loads(line) for line in run(LOG.replace("FORMAT", "'json'")).stderr.splitlines()]
    assert [line["event"] for line in lines] == ["attempt_closed", "said this"]
    assert lines[0]["attempt_id"] == "a1"
    assert lines[0]["level"] == "info"
    assert lines[1]["logger"] == "library"


def test_text_logs_name_the_event_and_its_fields() -> None:
    said = run(LOG.replace("FORMAT", "'text'")).stderr
    assert "attempt_closed" in said
    assert "attempt_id=a1" in said


FAULT = """
from exam_engine.infra.settings import Settings
from exam_engine.infra.telemetry import set_up_logging
import logging
set_up_logging(Settings(log_format=FORMAT))
def open_door(code):
    raise ValueError("closed")
try:
    open_door("answer-of-" + "somebody")
except ValueError:
    logging.getLogger("library").exception("failed")
"""


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_traceback_tells_places_and_never_the_values_of_variables(log_format: str) -> None:
    said = run(FAULT.replace("FORMAT", repr(log_format))).stderr
    assert "open_door" in said
    assert "ValueError" in said
    assert "answer-of-somebody" not in said


def test_a_closed_output_does_not_end_the_process() -> None:
    program = LOG.replace("FORMAT", "'text'") + "\nprint('still here')"
    shell = f'"{sys.executable}" -c "$PROGRAM" 2>&-'
    answer = subprocess.run(
        ["/bin/sh", "-c", shell], env=os.environ | {"PROGRAM": program}, capture_output=True, text=True, check=True
    )
    assert "still here" in answer.stdout


def test_counters_of_several_processes_add_up(tmp_path: Path) -> None:
    first = run(COUNT, PROMETHEUS_MULTIPROC_DIR=str(tmp_path)).stdout
    second = run(COUNT, PROMETHEUS_MULTIPROC_DIR=str(tmp_path)).stdout
    assert "exam_test_saves_total 1.0" in first
    assert "exam_test_saves_total 2.0" in second


def test_one_process_alone_counts_for_itself() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    answer = subprocess.run([sys.executable, "-c", COUNT], env=environment, capture_output=True, text=True, check=True)
    assert "exam_test_saves_total 1.0" in answer.stdout
