"""Halls and writers are those of the delivery room's tests; tests of several machines run with the long ones alone."""

from collections.abc import Callable

import pytest

from tests.exam_engine.delivery.conftest import clock, delivery, opened, plan, pool, register, runner, writer

__all__ = ["clock", "delivery", "opened", "plan", "pool", "register", "runner", "writer"]


FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def tell(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Print a line behind all results, where a test that passed would keep it to itself."""
    return pytestconfig.stash.setdefault(FIGURES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(line)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long-faults"):
        return
    apart = [item for item in items if item.path.name.startswith("test_scale_")]
    items[:] = [item for item in items if item not in apart]
    config.hook.pytest_deselected(items=apart)
