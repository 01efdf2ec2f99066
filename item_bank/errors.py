"""Refusals of the item bank.

ItemBankError
├── ContentInvalid      text of an item cannot be kept as it is: where and why
├── FigureRefused       a picture cannot be stored: why
├── ResponseInvalid     a response does not fit the interaction it answers
├── IllegalTransition   this step does not exist from the version's state
├── FourEyes            the same person may not do both steps
└── GiftSyntax          a GIFT file breaks its grammar: line and column
"""

from item_bank.messages import Message


class ItemBankError(Exception):
    """Base of every refusal of the item bank; leaves carry the facts that explain it."""


class ContentInvalid(ItemBankError):
    """A text with formulas cannot be read; `line` and `column` count from 1 inside that text."""

    def __init__(self, reason: Message, source: str, offset: int) -> None:
        self.reason = reason
        self.offset = offset
        self.line = source.count("\n", 0, offset) + 1
        self.column = offset - (source.rfind("\n", 0, offset) + 1) + 1
        super().__init__(f"line {self.line}, column {self.column}: {reason}")


class FigureRefused(ItemBankError):
    """A figure file is no picture we store."""

    def __init__(self, file_name: str, reason: Message) -> None:
        self.file_name = file_name
        self.reason = reason
        super().__init__(f"{file_name}: {reason}")


class ResponseInvalid(ItemBankError):
    """The value is no possible response to this interaction; the value itself is never repeated."""

    def __init__(self, reason: Message) -> None:
        self.reason = reason
        super().__init__(str(reason))


class IllegalTransition(ItemBankError):
    """The life of an item has no such step from here."""

    def __init__(self, state: str, step: str) -> None:
        self.state = state
        self.step = step
        super().__init__(f"an item in state {state} cannot take the step {step}")


class FourEyes(ItemBankError):
    """Two different people are needed, and this is one of them again."""

    def __init__(self, step: str) -> None:
        self.step = step
        super().__init__(f"the step {step} needs somebody who neither wrote nor submitted this version")


class GiftSyntax(ItemBankError):
    """A GIFT text breaks its grammar."""

    def __init__(self, reason: Message, line: int, column: int) -> None:
        self.reason = reason
        self.line = line
        self.column = column
        super().__init__(f"line {line}, column {column}: {reason}")
