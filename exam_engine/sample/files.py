"""Populations as the CSV files a school would hand in: candidates, marks, aspirations."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from exam_engine.infra.sheets import csv_bytes
from exam_engine.sample.population import Population

CANDIDATE_COLUMNS = ("candidate_number", "full_name", "date_of_birth", "school", "subjects")


def candidates_csv(population: Population) -> bytes:
    """Write candidates.csv: attributes stand in columns of their own, after the known ones."""
    extra = list(dict.fromkeys(name for one in population.candidates for name in one.attributes))
    rows = [
        (
            one.number,
            one.full_name,
            one.date_of_birth.strftime("%d/%m/%Y"),
            one.school,
            " ".join(one.subjects),
            *(one.attributes.get(name, "") for name in extra),
        )
        for one in population.candidates
    ]
    return csv_bytes((*CANDIDATE_COLUMNS, *extra), rows)


def marks_csv(population: Population) -> bytes:
    """Write marks.csv: one column a subject, empty where it was not taken, "V" where absent."""
    subjects = list(dict.fromkeys(code for one in population.candidates for code in one.marks))
    rows = [(one.number, *(one.marks.get(code, "") for code in subjects)) for one in population.candidates]
    return csv_bytes(("candidate_number", *subjects), rows)


def aspirations_csv(population: Population) -> bytes:
    """Write aspirations.csv: one line a wish."""
    rows = [
        (one.number, rank, programme)
        for one in population.candidates
        for rank, programme in enumerate(one.aspirations, start=1)
    ]
    return csv_bytes(("candidate_number", "rank", "programme"), rows)


def population_files(population: Population) -> Mapping[str, bytes]:
    """Return the files that belong to a population, by name."""
    files = {"candidates.csv": candidates_csv(population)}
    if any(one.marks for one in population.candidates):
        files["marks.csv"] = marks_csv(population)
    if any(one.aspirations for one in population.candidates):
        files["aspirations.csv"] = aspirations_csv(population)
    return files


def write_population(population: Population, folder: Path) -> Sequence[Path]:
    """Write the files of a population into a folder of its exam's name."""
    target = folder / population.exam
    target.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, content in population_files(population).items():
        (target / name).write_bytes(content)
        paths.append(target / name)
    return paths
