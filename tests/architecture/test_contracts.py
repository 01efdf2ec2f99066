"""The import contracts of pyproject.toml hold."""

import subprocess
import sys

from tests.architecture.project import PROJECT


def test_every_import_contract_is_kept() -> None:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    answer = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout
    assert " 0 broken" in answer.stdout
