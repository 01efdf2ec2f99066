"""What a seat keeps on its computer: IndexedDB, to Python."""

import msgspec

from exam_engine.delivery.wire import SaveResponse


class Claim(msgspec.Struct, frozen=True):
    """When a seat began without a network, by the server's time as it knew it, and its proof."""

    started_ms: int
    proof: str = ""


class Vault:
    """What the computer keeps when the browser or the power goes."""

    __slots__ = ("claim", "handing_in", "responses")

    def __init__(self) -> None:
        self.responses: dict[int, SaveResponse] = {}
        self.handing_in = False
        self.claim: Claim | None = None  # until the server has heard of it

    def wipe(self) -> None:
        """Forget the attempt."""
        self.responses.clear()
        self.handing_in = False
        self.claim = None
