"""Halls and writers are those of the delivery room's tests; tests of several machines run with the long ones alone."""

import pytest

from tests.exam_engine.delivery.conftest import clock, delivery, opened, plan, pool, register, runner, writer

__all__ = ["clock", "delivery", "opened", "plan", "pool", "register", "runner", "writer"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long-faults"):
        return
    apart = [item for item in items if item.path.name.startswith("test_scale_")]
    items[:] = [item for item in items if item not in apart]
    config.hook.pytest_deselected(items=apart)
