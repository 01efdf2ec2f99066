"""Invigilation is tested in the halls of delivery, with the same fixtures."""

from tests.exam_engine.delivery.conftest import clock, delivery, opened, plan, pool, register, runner, writer

__all__ = ["clock", "delivery", "opened", "plan", "pool", "register", "runner", "writer"]
