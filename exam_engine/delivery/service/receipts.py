"""Receipts of closed sittings, written again from what PostgreSQL holds."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import service as assembly
from exam_engine.assembly.model import PaperCodeId
from exam_engine.delivery import store
from exam_engine.delivery.errors import AttemptUnknown, ReceiptNotYet, SittingStateWrong
from exam_engine.delivery.model import Sitting, SittingState
from exam_engine.delivery.receipts import GivenAnswer, given_answers, receipt_of, write_receipt
from exam_engine.delivery.signing import SigningKey


class StoredReceipt(msgspec.Struct, frozen=True):
    """A receipt with the answers it speaks of."""

    text: str
    answers: list[GivenAnswer]


async def stored_receipt(session: AsyncSession, sitting: Sitting, number: str, key: SigningKey) -> StoredReceipt:
    """Return the receipt of a candidate number.

    Raises
    ------
    SittingStateWrong
        The sitting is not closed: PostgreSQL may lack the newest answers.
    AttemptUnknown, ReceiptNotYet
    """
    if sitting.state is not SittingState.CLOSED:
        raise SittingStateWrong(sitting.code, sitting.state, SittingState.CLOSED)
    seat = next((seat for seat in await store.load_seats(session, sitting.id) if seat.number == number), None)
    if seat is None:
        raise AttemptUnknown(number)
    (stored,) = await store.load_stored_attempts(session, sitting, [seat.attempt_id])
    if not stored.facts.started_ms or not stored.facts.finished_ms:
        raise ReceiptNotYet
    codes = {code.id: code for code in await assembly.load_paper_codes(session, sitting.form_id)}
    code = codes[PaperCodeId(seat.paper_code_id)]
    answers = given_answers(stored.responses)
    receipt = receipt_of(
        seat.attempt_id,
        stored.facts,
        answers,
        form_hash=sitting.form_hash,
        paper_code=code.code,
        ordering=code.ordering,
    )
    return StoredReceipt(write_receipt(receipt, key), answers)
