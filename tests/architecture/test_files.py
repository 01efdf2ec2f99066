"""Rules about the files themselves: length, locks without addresses, documents that tell the truth."""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from exam_engine.cli.main import NOUNS, load_noun
from exam_engine.infra.settings import PREFIX, Settings
from tests.architecture.project import PROJECT, files

LONGEST_FILE_LINES = 450
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")
OURS = re.compile(r"^(?:api|exam_engine|item_bank|scoring|loadtests|tests|docs|deploy|proctor_client|\.ci)/[\w./-]*$")
MADE_BY_THE_BUILD = ("proctor_client/dist", "proctor_client/node_modules", "exam_engine/infra/pdf/fonts")
DOCUMENTS = [*files(".md", under=("docs",)), *(path for path in files(".md") if path.parent == PROJECT)]


def test_no_file_of_code_grows_past_one_concept() -> None:
    long = {
        str(path.relative_to(PROJECT)): count
        for path in files(".py", ".ts", ".lua", ".css")
        if (count := len(path.read_text("utf-8").splitlines())) > LONGEST_FILE_LINES
    }
    assert long == {}


def test_the_locks_name_no_address() -> None:
    python = (PROJECT / "requirements.lock").read_text("utf-8")
    assert re.search(r"https?://", python) is None
    node = msgspec.json.decode((PROJECT / "proctor_client" / "package-lock.json").read_bytes())
    for name, package in node["packages"].items():
        assert "resolved" not in package, f"{name} names where it was fetched from; keep proctor_client/.npmrc"


def test_every_requirement_is_locked_with_its_hash() -> None:
    lock = (PROJECT / "requirements.lock").read_text("utf-8")
    locked = {name.lower() for name in re.findall(r"^([A-Za-z0-9_.-]+)==", lock, re.MULTILINE)}
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    wanted = settings["project"]["dependencies"] + settings["dependency-groups"]["dev"]
    names = {re.split(r"[\[<>=;! ]", entry, maxsplit=1)[0].lower() for entry in wanted}
    assert names <= locked
    assert all("--hash=sha256:" in block for block in re.split(r"\n(?=\S)", lock.strip()))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_document_names_only_what_exists(document: Path) -> None:
    text = document.read_text("utf-8")
    for link in LINK.findall(text):
        assert (document.parent / link).exists(), f"the link {link} leads nowhere"
    code = CODE.findall(text) + [line.strip().removeprefix("$ ") for block in blocks_of(text) for line in block]
    for piece in code:
        path = piece.split()[0].rstrip(".,:") if piece.split() else ""
        if OURS.match(path) and not path.startswith(MADE_BY_THE_BUILD):
            assert (PROJECT / path).exists(), f"{path} does not exist"
        for words in re.findall(r"exam-engine ([a-z][a-z -]*)", piece):
            require_command(words.split())
        for target in re.findall(r"^make ([a-z][a-z-]*)", piece):
            assert re.search(rf"^{target}:", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE), f"make {target}?"


def test_every_setting_is_explained_in_the_operations_page_and_none_that_is_gone() -> None:
    page = (PROJECT / "docs" / "operations.md").read_text("utf-8")
    named = set(re.findall(rf"`({PREFIX}[A-Z_]+)`", page))
    assert {PREFIX + name.upper() for name in Settings.__struct_fields__} == named


def blocks_of(text: str) -> list[list[str]]:
    return [block.splitlines()[1:] for block in re.findall(r"```([^`]*)```", text)]


def require_command(words: list[str]) -> None:
    noun, *rest = words
    assert noun in NOUNS, f"exam-engine {noun} does not exist"
    command = load_noun(noun)
    for word in rest:
        children = getattr(command, "commands", None)
        if children is None:
            return
        assert word in children, f"exam-engine {noun} {word} does not exist"
        command = children[word]


def test_no_code_takes_the_day_of_utc_for_a_day_of_people() -> None:
    wrong = [
        f"{path.relative_to(PROJECT)}:{number}"
        for path in files(".py", under=("api", "exam_engine"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"\bnow\.date\(\)|clock\(\)\.date\(\)", line) and "# there are no grants" not in line
    ]
    assert wrong == [], "grants hold by `local_day`: " + ", ".join(wrong)
