"""Refusals of the calibration room.

CalibrationError
├── CalibrationRunUnknown    no run has this id or number
├── RunStateWrong            a run is not in the state this act needs
├── SittingsUnsuitable       sittings that cannot be calibrated: none, not closed, of another subject
├── SampleTooSmall           fewer candidates than the model asks for; a model that fits them is named
├── TooFewItems              what is left after the unusable items is no test
├── AnchorsUnusable          items chosen as anchors have no accepted parameters, or too few are common
├── WorkerFailed             the worker died of this run again and again
├── RunNotConverged          parameters of a run that did not converge may not be accepted
├── ItemNotInRun             the run says nothing of this item
├── ItemNotAcceptable        the item has no parameters, or none that may be accepted
├── DecisionWrong            an item is accepted or held already, or was never accepted
└── HoldReasonMissing        holding an item or taking it back needs a reason

What the mathematics refuses is a ScoringError of `scoring`.
"""

from collections.abc import Sequence
from uuid import UUID

from exam_engine.infra.errors import EngineError
from item_bank.messages import Message, message


class CalibrationError(EngineError):
    """Base of the refusals of calibration."""


class CalibrationRunUnknown(CalibrationError):
    """There is no such run."""

    def __init__(self, run: UUID | str) -> None:
        self.run = str(run)
        super().__init__(f"there is no calibration run {run}")


class RunStateWrong(CalibrationError):
    """The run is not in the state this act needs."""

    def __init__(self, number: int, state: str, needed: str) -> None:
        self.number = number
        self.state = state
        self.needed = needed
        super().__init__(f"calibration run {number} is {state}, not {needed}")


class SittingsUnsuitable(CalibrationError):
    """Sittings that cannot be calibrated."""

    def __init__(self, place: str, reason: Message) -> None:
        self.place = place
        self.reason = reason
        super().__init__(f"{place}: {reason}")


class SampleTooSmall(CalibrationError):
    """Fewer candidates than the model asks for."""

    def __init__(self, family: str, n_candidates: int, needed: int, suggested: str | None) -> None:
        self.family = family
        self.n_candidates = n_candidates
        self.needed = needed
        self.advice = (
            message("{model} suits this sample.", model=suggested) if suggested else message("Wait for more sittings.")
        )
        super().__init__(f"{n_candidates} candidates are too few for {family}, which needs {needed}. {self.advice}")


class TooFewItems(CalibrationError):
    """What is left after the unusable items is no test."""

    def __init__(self, n_items: int, needed: int, reasons: Sequence[Message] = ()) -> None:
        self.n_items = n_items
        self.needed = needed
        self.reasons = tuple(reasons)[:10]
        why = f" ({'; '.join(map(str, self.reasons[:3]))})" if self.reasons else ""
        super().__init__(f"{n_items} items can be calibrated, at least {needed} are needed{why}")


class AnchorsUnusable(CalibrationError):
    """Anchors that cannot carry the scale."""

    def __init__(self, items: Sequence[str], reason: Message) -> None:
        self.items = tuple(items)
        self.reason = reason
        super().__init__(f"anchors {', '.join(self.items[:10])}: {reason}" if items else f"anchors: {reason}")


class WorkerFailed(CalibrationError):
    """The worker died of this run again and again."""

    def __init__(self, tries: int) -> None:
        self.tries = tries
        super().__init__(f"the worker died {tries} times while working on this run")


class RunNotConverged(CalibrationError):
    """The run stopped before the maximum."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"calibration run {number} did not converge; its parameters may not be accepted")


class ItemNotInRun(CalibrationError):
    """The run says nothing of this item."""

    def __init__(self, number: int, item: str) -> None:
        self.number = number
        self.item = item
        super().__init__(f"calibration run {number} has no item {item}")


class ItemNotAcceptable(CalibrationError):
    """The item cannot be accepted."""

    def __init__(self, item: str, reason: Message) -> None:
        self.item = item
        self.reason = reason
        super().__init__(f"item {item}: {reason}")


class DecisionWrong(CalibrationError):
    """The item is not in the state of decision this act needs."""

    def __init__(self, item: str, decision: str, needed: str) -> None:
        self.item = item
        self.decision = decision
        self.needed = needed
        super().__init__(f"item {item} is {decision} in this run, not {needed}")


class HoldReasonMissing(CalibrationError):
    """Holding an item or taking its parameters back needs a reason."""

    def __init__(self) -> None:
        super().__init__("say why; the reason is kept")
