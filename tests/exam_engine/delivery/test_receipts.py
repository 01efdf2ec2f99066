"""Receipts: what holds, what does not and why, and that they say what was stored."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import CliRunner, Result

from exam_engine.cli.receipt import app
from exam_engine.delivery import service
from exam_engine.delivery.errors import (
    KeyFileInvalid,
    ReceiptForged,
    ReceiptMalformed,
    ReceiptNotYet,
    ReceiptOfOtherAnswers,
    ReceiptOfOtherKey,
)
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import CloseReason, close
from exam_engine.delivery.receipts import (
    OUTCOMES,
    GivenAnswer,
    Receipt,
    answers_hash,
    verify_receipt,
    write_receipt,
)
from exam_engine.delivery.signing import PublishedKeys, SigningKey, key_ring, read_keys
from exam_engine.delivery.wire import SaveBody, SaveResponse, SubmitBody
from exam_engine.infra.clock import to_milliseconds
from tests.exam_engine.delivery.conftest import SECRET, HallMaker
from tests.exam_engine.delivery.halls import START, SetClock

NOW = to_milliseconds(START)
KEY = SigningKey(b"a secret long enough to sign with, of these tests")
KEYS = key_ring([KEY.public])
ANSWERS = [
    GivenAnswer(1, 4, "B"),
    GivenAnswer(2, 9, {"a": True, "b": False}),
    GivenAnswer(3, 2, "-1,5"),
    GivenAnswer(4, 3, None),
]
RECEIPT = Receipt(
    attempt_id=UUID("6d1f0c4e-3d52-4c8e-9f0e-0d3f6a7b8c9d"),
    form_hash="ab" * 32,
    paper_code="1001",
    ordering_hash="cd" * 16,
    outcome="submitted",
    finished_ms=NOW,
    slots=4,
    answered=3,
    answers_hash=answers_hash(ANSWERS),
)


def test_a_true_receipt_holds_and_says_what_was_signed() -> None:
    text = write_receipt(RECEIPT, KEY)
    assert verify_receipt(text, KEYS) == RECEIPT
    assert verify_receipt(text, KEYS, ANSWERS) == RECEIPT
    assert write_receipt(RECEIPT, KEY) == text


def test_a_receipt_may_be_broken_into_lines_and_written_small() -> None:
    text = write_receipt(RECEIPT, KEY)
    assert verify_receipt("\n".join(text[i : i + 40] for i in range(0, len(text), 40)).lower(), KEYS) == RECEIPT


def test_a_receipt_fits_the_compact_mode_of_a_small_qr_code() -> None:
    code = segno.make_qr(write_receipt(RECEIPT, KEY), error="m")
    assert code.mode == "alphanumeric"
    assert isinstance(code.version, int)
    assert code.version <= 11


def test_every_changed_character_is_noticed() -> None:
    text = write_receipt(RECEIPT, KEY)
    rng = random.Random(1)
    for position in range(len(text)):
        other = rng.choice([letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567." if letter != text[position]])
        with pytest.raises((ReceiptMalformed, ReceiptForged, ReceiptOfOtherKey)):
            verify_receipt(text[:position] + other + text[position + 1 :], KEYS)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("hello", "it begins with 'HELLO', not R1"),
        ("R1.ABC.DEF", "it has 3 parts"),
        ("R1.AAAAAAAA.1!.AA", "the payload is not base32"),
        ("R1.AAAAAAAA.AA.AA", "the signature has 1 bytes, not 64"),
        ("R" * 3000, "more than 2000 characters"),
    ],
)
def test_what_is_no_receipt_is_refused_by_part(text: str, reason: str) -> None:
    with pytest.raises(ReceiptMalformed, match=reason):
        verify_receipt(text, KEYS)


def test_a_receipt_of_another_installation_names_both_keys() -> None:
    other = SigningKey(b"another secret, of another installation, as long")
    with pytest.raises(ReceiptOfOtherKey, match=f"key {other.public.id}; the key given is {KEY.public.id}"):
        verify_receipt(write_receipt(RECEIPT, other), KEYS)


def test_a_forger_who_borrows_our_key_id_is_found() -> None:
    other = SigningKey(b"another secret, of another installation, as long")
    forged = write_receipt(RECEIPT, other).replace(other.public.id, KEY.public.id)
    with pytest.raises(ReceiptForged, match="did not sign what it says"):
        verify_receipt(forged, KEYS)


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(ANSWERS[:-1], id="one fewer"),
        pytest.param([GivenAnswer(1, 4, "C"), *ANSWERS[1:]], id="another value"),
        pytest.param([GivenAnswer(1, 5, "B"), *ANSWERS[1:]], id="another sequence"),
        pytest.param([*ANSWERS[:1], GivenAnswer(2, 9, {"a": True}), *ANSWERS[2:]], id="a statement fewer"),
    ],
)
def test_a_true_receipt_does_not_hold_for_other_answers(answers: list[GivenAnswer]) -> None:
    with pytest.raises(ReceiptOfOtherAnswers, match="genuine, but these are other answers"):
        verify_receipt(write_receipt(RECEIPT, KEY), KEYS, answers)


@given(order=st.permutations(ANSWERS))
def test_the_hash_of_answers_does_not_depend_on_their_order(order: list[GivenAnswer]) -> None:
    assert answers_hash(order) == RECEIPT.answers_hash


def test_the_hash_of_answers_can_be_made_by_hand() -> None:
    import hashlib

    by_hand = b'exam-engine answers 1\n[1,4,"B"]\n[2,9,{"a":true,"b":false}]\n[3,2,"-1,5"]\n[4,3,null]\n'
    assert RECEIPT.answers_hash == hashlib.sha256(by_hand).hexdigest()


def test_every_reason_to_close_has_its_outcome() -> None:
    assert {reason.value for reason in CloseReason} <= set(OUTCOMES)


def test_public_keys_are_read_in_every_form_they_are_given_in() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    published = KEY.public.published()
    pem = Ed25519PublicKey.from_public_bytes(KEY.public.raw).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    one = {"kid": published.kid, "kty": "OKP", "crv": "Ed25519", "x": published.x}
    for text in (published.x, json.dumps({"keys": [one]}), json.dumps(one), pem.decode()):
        assert list(read_keys(text).ring()) == [KEY.public.id]
    for bad in ("", "AAAA", "{", '{"keys": [{"kid": "x"}]}', "-----BEGIN PUBLIC KEY-----\nAAAA", "é"):
        with pytest.raises(KeyFileInvalid):
            read_keys(bad)


async def test_handing_in_gives_a_receipt_of_what_was_saved(opened: HallMaker, delivery: Delivery) -> None:
    hall = await opened()
    keys = key_ring([SigningKey(SECRET).public])
    with pytest.raises(ReceiptNotYet):
        await delivery.receipt(hall.candidate(), hall.attempt())
    envelope = await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    answers = [GivenAnswer(1, 1, "B"), GivenAnswer(9, 2, {"b": True, "a": False}), GivenAnswer(2, 3, None)]
    save = SaveBody(1, [SaveResponse(a.slot, a.sequence, a.value, NOW) for a in answers])
    await delivery.save(hall.candidate(), hall.attempt(), save)
    with pytest.raises(ReceiptNotYet):
        await delivery.receipt(hall.candidate(), hall.attempt())
    reply = await delivery.submit(hall.candidate(), hall.attempt(), SubmitBody(1, {1: 1, 9: 2, 2: 3}))
    receipt = verify_receipt(reply.receipt, keys, answers)
    assert (receipt.attempt_id, receipt.form_hash) == (hall.attempt(), hall.form_hash)
    assert (receipt.paper_code, receipt.outcome) == (envelope.paper_code, "submitted")
    assert (receipt.slots, receipt.answered, receipt.finished_ms) == (3, 2, reply.submitted_at_ms)
    again = await delivery.submit(hall.candidate(), hall.attempt(), SubmitBody(1, {}))
    assert again.receipt == reply.receipt
    assert (await delivery.receipt(hall.candidate(), hall.attempt())).receipt == reply.receipt


async def test_a_paper_closed_by_time_has_its_receipt_too(
    opened: HallMaker, delivery: Delivery, clock: SetClock
) -> None:
    hall = await opened()
    await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    await delivery.save(hall.candidate(), hall.attempt(), SaveBody(1, [SaveResponse(1, 1, "B", NOW)]))
    clock.forward(hours=2)
    await delivery.register.change(
        hall.place(), lambda facts: close(facts, CloseReason.TIME, delivery.now_ms()), "timer"
    )
    reply = await delivery.receipt(hall.candidate(), hall.attempt())
    receipt = verify_receipt(reply.receipt, key_ring([SigningKey(SECRET).public]), [GivenAnswer(1, 1, "B")])
    assert (receipt.outcome, reply.reason, reply.answered) == ("time", "time", 1)


def _command(*words: Any) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_command_verifies_with_nothing_but_the_public_key(tmp_path: Path) -> None:
    text, keys = write_receipt(RECEIPT, KEY), tmp_path / "receipt-keys.json"
    keys.write_text(json.dumps({"keys": [{"kid": KEY.public.id, "x": KEY.public.published().x}]}))
    held, answers = tmp_path / "receipt.txt", tmp_path / "answers.json"
    held.write_text(text + "\n")
    entries = [{"slot": a.slot, "sequence": a.sequence, "value": a.value} for a in ANSWERS]
    answers.write_text(json.dumps({"answers": entries}))
    told = _command("verify", held, "--public-key", keys, "--answers", answers, "--json")
    assert told.exit_code == 0, told.stderr
    assert json.loads(told.stdout)["answers_compared"] is True
    assert "genuine" in _command("verify", text, "--public-key", KEY.public.published().x).stdout
    entries[0]["value"] = "D"
    answers.write_text(json.dumps(entries))
    other = _command("verify", held, "--public-key", keys, "--answers", answers)
    assert (other.exit_code, "these are other answers" in other.stderr) == (1, True)
    broken = text[:60] + ("A" if text[60] != "A" else "B") + text[61:]
    forged = _command("verify", broken, "--public-key", keys)
    assert (forged.exit_code, "forged or was changed" in forged.stderr) == (1, True)
    gone = _command("verify", text, "--public-key", tmp_path / "none.json")
    assert gone.exit_code == 1
    assert "there is no file" in gone.stderr
    nonsense = _command("verify", text, "--public-key", "nonsense")
    assert (nonsense.exit_code, "no public key" in nonsense.stderr) == (1, True)


def test_the_published_key_reads_back() -> None:
    import msgspec

    assert list(read_keys(msgspec.json.encode(PublishedKeys((KEY.public.published(),))).decode()).ring()) == [
        KEY.public.id
    ]


def test_a_receipt_is_told_in_the_time_of_its_place_with_the_dates_of_its_key(tmp_path: Path) -> None:
    old = SigningKey(b"a secret from before the installation got a new one")
    ended = datetime.fromtimestamp(RECEIPT.finished_ms / 1000, UTC)
    published = [
        {"kid": "x", "x": KEY.public.published().x, "used_from": "2030-01-01T00:00:00Z"},
        {
            "kid": old.public.id,
            "x": old.public.published().x,
            "used_from": (ended - timedelta(days=9)).isoformat(),
            "used_until": (ended + timedelta(days=1)).isoformat(),
        },
    ]
    keys = tmp_path / "receipt-keys.json"
    keys.write_text(json.dumps({"keys": published, "time_zone": "Asia/Ho_Chi_Minh"}))
    told = _command("verify", write_receipt(RECEIPT, old), "--public-key", keys)
    assert told.exit_code == 0, told.stderr
    assert f"{ended + timedelta(hours=7):%d/%m/%Y %H:%M:%S}" in told.stdout
    assert "(UTC+07:00)" in told.stdout
    assert "used from" in told.stdout
    assert "WARNING" not in told.stdout
    elsewhere = _command("verify", write_receipt(RECEIPT, old), "--public-key", keys, "--time-zone", "Asia/Tokyo")
    assert "(UTC+09:00)" in elsewhere.stdout
    early = _command("verify", write_receipt(RECEIPT, KEY), "--public-key", keys)
    assert (early.exit_code, "WARNING" in early.stdout) == (0, True)
    nowhere = _command("verify", write_receipt(RECEIPT, old), "--public-key", keys, "--time-zone", "Sao/Hoa")
    assert nowhere.exit_code == 2


async def test_every_key_ever_used_stays_published_with_its_dates(session: AsyncSession) -> None:
    first, second = SigningKey(b"the first secret of an installation"), SigningKey(b"the second secret of it, later")
    spring, summer, autumn = START, START + timedelta(days=90), START + timedelta(days=180)
    await service.note_key(session, first, spring)
    await service.note_key(session, first, spring + timedelta(days=1))
    await service.note_key(session, second, summer)
    found = await service.published_keys(session, second, time_zone="Asia/Ho_Chi_Minh", now=autumn)
    dates = {key.kid: (key.used_from, key.used_until) for key in found.keys}
    assert dates[first.public.id] == (spring, summer)
    assert dates[second.public.id] == (summer, None)
    receipt = verify_receipt(write_receipt(RECEIPT, first), found.ring())
    assert receipt == RECEIPT
    unseen = SigningKey(b"a third secret that no start has noted")
    again = await service.published_keys(session, unseen, time_zone="", now=autumn)
    assert again.keys[0].kid == unseen.public.id
