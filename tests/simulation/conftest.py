"""Halls, registers and writers are those of the delivery room's tests."""

from tests.exam_engine.delivery.conftest import clock, opened, plan, pool, register, runner

__all__ = ["clock", "opened", "plan", "pool", "register", "runner"]
