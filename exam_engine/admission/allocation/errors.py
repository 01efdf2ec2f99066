"""Refusals of the allocation itself.

InstanceInvalid     the inputs contradict themselves; every problem is named
"""

from collections.abc import Sequence

from exam_engine.infra.errors import EngineError


class InstanceInvalid(EngineError):
    """The inputs of an allocation contradict themselves or lack what the rules compare."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        more = f" (and {len(self.problems) - 10} more)" if len(self.problems) > 10 else ""
        super().__init__("; ".join(self.problems[:10]) + more)
