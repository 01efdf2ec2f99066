"""Mistakes of a file, collected so that one pass names them all; reading stops when there are too many to be useful."""

from exam_engine.infra.errors import FileRefused, RowError
from exam_engine.infra.i18n import N_

MOST = 50
_AND_MORE = N_("there may be more mistakes; reading stopped after {count}")


class Mistakes:
    """What is wrong in a file, by line and column."""

    def __init__(self, file_name: str) -> None:
        self.file_name = file_name
        self.errors: list[RowError] = []

    def add(self, message: str, *, line: int | None = None, column: str | None = None, **facts: str | int) -> None:
        """Note a mistake; the fiftieth ends the reading.

        Raises
        ------
        FileRefused
            There are too many.
        """
        filled = {**({} if column is None else {"column": column}), **facts}
        place = ", ".join(
            part for part in (f"line {line}" if line else "", f"column {column}" if column else "") if part
        )
        self.errors.append(RowError(place or "file", message.format(**filled), line, column, message, filled))
        if len(self.errors) >= MOST:
            text = _AND_MORE.format(count=MOST)
            last = RowError("file", text, message=_AND_MORE, facts={"count": MOST})
            raise FileRefused(self.file_name, [*self._in_order(), last])

    def finish(self) -> None:
        """Refuse the file when anything was wrong.

        Raises
        ------
        FileRefused
            Every mistake, in the order of the file.
        """
        if self.errors:
            raise FileRefused(self.file_name, self._in_order())

    def _in_order(self) -> list[RowError]:
        return sorted(self.errors, key=lambda error: error.row or 0)
