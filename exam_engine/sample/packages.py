"""The files of a sample bank as an author would hand them in."""

from exam_engine.authoring.packages import Package, SourceFile
from exam_engine.sample import data_files


def bank_package(code: str, language: str) -> Package:
    """Return the files of a sample bank as an author would hand them in."""
    folder = data_files.data_folder().joinpath(code)
    names = {entry.name for entry in folder.iterdir()}
    figures = sorted(folder.joinpath("figures").iterdir(), key=lambda f: f.name) if "figures" in names else []
    return Package(
        items=_source(f"{code}/items.csv"),
        stimuli=_source(f"{code}/stimuli.csv") if "stimuli.csv" in names else None,
        topics=_source(f"{code}/topics.csv"),
        figures=[SourceFile(figure.name, figure.read_bytes()) for figure in figures],
        language=language,
    )


def _source(name: str) -> SourceFile:
    return SourceFile(name.rpartition("/")[2], data_files.read_bytes(name))
