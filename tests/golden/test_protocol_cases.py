"""The bot decides as the written cases say, which the browser's session is run through as well."""

from collections import Counter

from tests.golden.protocol_cases import FILE, SEEDS, as_text, draw_case


def test_the_bot_decides_as_the_cases_say() -> None:
    assert as_text() == FILE.read_text(), "write the cases anew: python -m tests.golden.protocol_cases"


def test_the_cases_reach_every_phase_and_every_refusal() -> None:
    seen: Counter[str] = Counter()
    for seed in SEEDS:
        for step in draw_case(seed)["steps"]:
            seen.update((step.get("phase", ""), step.get("asks", ""), step.get("refused", {}).get("code", "")))
    assert {"paper", "handing-in", "handed-in", "over", "elsewhere", "paused", "locked"} <= seen.keys()
    assert {"start", "save", "time", "submit", "receipt"} <= seen.keys()
    assert {
        "attempt-closed",
        "time-over",
        "lease-taken",
        "attempt-locked",
        "receipt-not-yet",
        "responses-newer",
    } <= seen.keys()
