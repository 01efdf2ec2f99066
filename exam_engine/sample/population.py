"""Invented candidates of the sample exams: names, schools, marks from files, aspirations, and a true ability.

Deterministic by seed. The ability (`theta`, logits) is for the simulator alone; no file carries it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from zlib import crc32

import msgspec
import numpy as np

from exam_engine.infra.randomness import generator
from exam_engine.infra.vietnamese import name_sort_key
from exam_engine.sample import marks
from exam_engine.sample.names import draw_name, load_name_lists

GRADUATION, INTAKE, PRACTICE = "thi-thu-tn-2027", "vao-10-2027", "lam-quen-2027"

SCHOOL_STRENGTH = {"THPT-A": 0.9, "THPT-B": 0.3, "THPT-C": -0.3, "THPT-D": -0.9}
LOWER_SCHOOLS = ("THCS-SM", "THCS-CL", "THCS-DL", "THCS-BG", "THCS-GS", "THCS-HM")
NEAREST_SCHOOL = {
    "THCS-SM": "THPT-A",
    "THCS-CL": "THPT-B",
    "THCS-DL": "THPT-C",
    "THCS-BG": "THPT-C",
    "THCS-GS": "THPT-D",
    "THCS-HM": "THPT-D",
}

ABSENT = "V"
ABSENT_SHARE = 0.008
OLDER_SHARE = 0.03
EXEMPT_SHARE = 0.12  # of those who chose the foreign language: a certificate stands in for it
GRADUATE_GROUPS = {"1": 0.9, "2": 0.085, "3": 0.015}  # group 1 gives no points
APPLICANT_GROUPS = {"": 0.92, "3": 0.05, "2": 0.02, "1": 0.01}  # group 1 gives most
PRIZES = {"": 0.89, "provincial_3": 0.06, "provincial_2": 0.034, "provincial_1": 0.016}  # of the upper half


class SampleCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """One invented candidate; `marks` are the cells of the marks file, "V" where absent."""

    number: str
    full_name: str
    date_of_birth: date
    school: str
    subjects: tuple[str, ...]
    theta: float
    attributes: Mapping[str, str] = {}
    marks: Mapping[str, str] = {}
    aspirations: tuple[str, ...] = ()


class Population(msgspec.Struct, frozen=True, kw_only=True):
    """The candidates of one sample exam, in order of candidate number."""

    exam: str
    seed: int
    candidates: tuple[SampleCandidate, ...]

    @property
    def abilities(self) -> Mapping[str, float]:
        """True ability by candidate number, for the simulator."""
        return {candidate.number: candidate.theta for candidate in self.candidates}


def mock_graduation(candidates: int = 200, seed: int = 2027) -> Population:
    """Return candidates of the mock graduation: Toán on line; Văn, two electives and year averages from files."""
    rng = generator(seed, crc32(GRADUATION.encode()))
    people = [_graduate(rng) for _ in range(candidates)]
    return Population(exam=GRADUATION, seed=seed, candidates=_numbered(people, "31", 6))


def grade_10_intake(candidates: int = 100, seed: int = 2027) -> Population:
    """Return applicants of the grade-10 intake: English on line; Toán and Văn from a file; two to four aspirations."""
    rng = generator(seed, crc32(INTAKE.encode()))
    people = [_applicant(rng) for _ in range(candidates)]
    return Population(exam=INTAKE, seed=seed, candidates=_numbered(people, "10", 4))


def practice(candidates: int = 24, seed: int = 2027) -> Population:
    """Return places for whoever wants to try the player; they stand for nobody."""
    rng = generator(seed, crc32(PRACTICE.encode()))
    people = [
        SampleCandidate(
            number="",
            full_name=f"Khách Thử {tree}",
            date_of_birth=date(2010, 1, 1),
            school="",
            subjects=(),
            theta=float(rng.standard_normal()),
        )
        for tree in (load_name_lists().trees[place % len(load_name_lists().trees)] for place in range(candidates))
    ]
    return Population(exam=PRACTICE, seed=seed, candidates=_numbered(people, "99", 4))


def _numbered(people: Sequence[SampleCandidate], prefix: str, digits: int) -> tuple[SampleCandidate, ...]:
    """Give numbers in the order of a class list, as councils do."""
    ordered = sorted(people, key=lambda one: (name_sort_key(one.full_name), one.date_of_birth))
    return tuple(
        msgspec.structs.replace(one, number=f"{prefix}{place:0{digits}}") for place, one in enumerate(ordered, start=1)
    )


def _graduate(rng: np.random.Generator) -> SampleCandidate:
    statistics = marks.load_statistics()
    pairs = statistics.elective_pairs
    shares = np.array([pair.share for pair in pairs])
    shares /= shares.sum()
    pair = pairs[int(rng.choice(len(pairs), p=shares))]
    # Takers of a pair differ in the required papers: their means spread around 0, the rest of the variance is within.
    mathematics = _shift([p.mathematics for p in pairs], shares, statistics.subjects["TOAN"].sd)
    literature = _shift([p.literature for p in pairs], shares, statistics.subjects["VAN"].sd)
    chosen = pairs.index(pair)
    within = float(rng.standard_normal())
    theta = mathematics.means[chosen] + mathematics.sd_within * within
    latent = marks.latent_given(("TOAN", "VAN", *pair.electives), within, rng)
    latents = {
        "VAN": literature.means[chosen] + literature.sd_within * latent[0],
        **dict(zip(pair.electives, latent[1:], strict=True)),
    }
    is_exempt = "NN" in latents and rng.random() < EXEMPT_SHARE
    if is_exempt:
        del latents["NN"]
    overall = 0.5 * theta + 0.5 * float(np.mean([*latents.values()]))
    attributes = {
        **_circumstances(GRADUATE_GROUPS, theta, rng),
        **_year_averages(overall, rng),
        **({"exempt": "NN"} if is_exempt else {}),
    }
    return SampleCandidate(
        number="",
        full_name=draw_name(load_name_lists(), rng),
        date_of_birth=_birthday(2009, rng),
        school=_school(theta, rng),
        subjects=("TOAN", *latents),
        theta=theta,
        attributes=attributes,
        marks=_marks(latents, rng),
    )


def _applicant(rng: np.random.Generator) -> SampleCandidate:
    theta = float(rng.standard_normal())
    mathematics, literature = marks.latent_given(("NN", "TOAN", "VAN"), theta, rng)
    school = LOWER_SCHOOLS[int(rng.integers(len(LOWER_SCHOOLS)))]
    strength = (theta + mathematics + literature) / 2.2  # of about unit spread, as the three hang together
    return SampleCandidate(
        number="",
        full_name=draw_name(load_name_lists(), rng),
        date_of_birth=_birthday(2012, rng),
        school=school,
        subjects=("ANH", "TOAN", "VAN"),
        theta=theta,
        attributes=_circumstances(APPLICANT_GROUPS, theta, rng),
        marks=_marks({"TOAN": mathematics, "VAN": literature}, rng),
        aspirations=_aspirations(strength, school, rng),
    )


class _Shift(msgspec.Struct, frozen=True):
    means: tuple[float, ...]
    sd_within: float


def _shift(means: Sequence[float], shares: np.ndarray, sd: float) -> _Shift:
    centred = np.array(means) - float(np.dot(shares, means))
    between = centred / sd
    variance = float(np.dot(shares, between**2))
    return _Shift(tuple(float(value) for value in between), float(np.sqrt(1.0 - variance)))


def _marks(latents: Mapping[str, float], rng: np.random.Generator) -> Mapping[str, str]:
    return {
        subject: ABSENT if rng.random() < ABSENT_SHARE else _comma(marks.mark_at(float(latent), subject))
        for subject, latent in latents.items()
    }


def _year_averages(overall: float, rng: np.random.Generator) -> Mapping[str, str]:
    level = 7.25 + 0.6 * overall
    averages = level + np.array([0.0, 0.12, 0.3]) + 0.22 * rng.standard_normal(3)
    return {
        f"year{year}": _comma(Decimal(round(min(max(float(average), 5.0), 9.8) * 100)).scaleb(-2))
        for year, average in zip((10, 11, 12), averages, strict=True)
    }


def _circumstances(groups: Mapping[str, float], theta: float, rng: np.random.Generator) -> Mapping[str, str]:
    prize = _one_of(PRIZES, rng)
    return {"priority_group": _one_of(groups, rng), "encouragement": prize if theta > 0.0 else ""}


def _school(theta: float, rng: np.random.Generator) -> str:
    codes = list(SCHOOL_STRENGTH)
    liking = [1.3 * SCHOOL_STRENGTH[code] * theta + float(rng.gumbel()) for code in codes]
    return codes[int(np.argmax(liking))]


def _aspirations(strength: float, school: str, rng: np.random.Generator) -> tuple[str, ...]:
    """Rank two to four schools: the strong aim high, most think of the way to school, nobody knows their score yet."""
    guess = strength + 0.4 * float(rng.standard_normal())
    liking = {
        code: -1.2 * (guess - level) ** 2 + 0.8 * (NEAREST_SCHOOL[school] == code) + 0.7 * float(rng.gumbel())
        for code, level in SCHOOL_STRENGTH.items()
    }
    ranked = sorted(liking, key=lambda code: -liking[code])
    return tuple(ranked[: int(rng.choice((2, 3, 4), p=(0.35, 0.4, 0.25)))])


def _birthday(year: int, rng: np.random.Generator) -> date:
    year -= int(rng.random() < OLDER_SHARE)
    return date(year, 1, 1) + timedelta(days=int(rng.integers(365)))


def _one_of(shares: Mapping[str, float], rng: np.random.Generator) -> str:
    return list(shares)[int(rng.choice(len(shares), p=list(shares.values())))]


def _comma(value: Decimal) -> str:
    return str(value).replace(".", ",")
