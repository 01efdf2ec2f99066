"""Who can sign in to the sample: staff with demo passwords, first candidates with the codes of their cards."""

from collections.abc import Sequence

import msgspec

from exam_engine.enrolment import codes
from exam_engine.enrolment import service as enrolment
from exam_engine.infra.database import transaction
from exam_engine.sample import data_files
from exam_engine.sample.plan import load_plan
from exam_engine.wiring import Engine


class StaffSignIn(msgspec.Struct, frozen=True):
    """One person of the sample; the password is for demonstrations alone."""

    user_name: str
    password: str
    role: str
    display_name: str


class CandidateSignIn(msgspec.Struct, frozen=True):
    """One candidate's card."""

    exam: str
    exam_name: str
    candidate_number: str
    full_name: str
    sit_code: str
    look_up_code: str


class SignIns(msgspec.Struct, frozen=True):
    """Everything the demonstration prints."""

    staff: tuple[StaffSignIn, ...]
    candidates: tuple[CandidateSignIn, ...]


def staff_sign_ins() -> tuple[StaffSignIn, ...]:
    """Return the people of the sample with their demo passwords."""
    return tuple(
        StaffSignIn(row["user_name"], row["password"], row["role"], row["display_name"])
        for row in data_files.read_rows("people.csv")
    )


async def candidate_sign_ins(engine: Engine, each: int = 1) -> Sequence[CandidateSignIn]:
    """Return the first candidates of every sample exam with both codes.

    Raises
    ------
    ExamUnknown
        The sample is not loaded.
    """
    found = []
    async with transaction(engine.sessions) as session:
        for plan in load_plan().exams:
            exam = await enrolment.require_exam(session, plan.code)
            for candidate in (await enrolment.load_candidates(session, exam.id))[:each]:
                number = candidate.number or ""
                claim = (engine.master_secret, exam.code, number, candidate.code_version)
                found.append(
                    CandidateSignIn(
                        exam=exam.code,
                        exam_name=exam.name,
                        candidate_number=number,
                        full_name=candidate.full_name,
                        sit_code=codes.sit_code(*claim),
                        look_up_code=codes.look_up_code(*claim),
                    )
                )
    return found


async def sign_ins(engine: Engine, each: int = 1) -> SignIns:
    """Return staff and first candidates together."""
    return SignIns(staff_sign_ins(), tuple(await candidate_sign_ins(engine, each)))
