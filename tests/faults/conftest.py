"""Halls and writers are those of the delivery room's tests."""

from tests.exam_engine.delivery.conftest import clock, delivery, opened, plan, pool, register, runner, writer

__all__ = ["clock", "delivery", "opened", "plan", "pool", "register", "runner", "writer"]
