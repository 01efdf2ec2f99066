"""What a seat keeps on its computer: IndexedDB, to Python."""

from exam_engine.delivery.wire import SaveResponse


class Vault:
    """What the computer keeps when the browser or the power goes."""

    __slots__ = ("handing_in", "responses")

    def __init__(self) -> None:
        self.responses: dict[int, SaveResponse] = {}
        self.handing_in = False

    def wipe(self) -> None:
        """Forget the attempt."""
        self.responses.clear()
        self.handing_in = False
