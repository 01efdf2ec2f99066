"""A sealed form as a worker keeps it in memory: the bytes for candidates, the orders, and which answers are possible.

Whether an answer is right is never asked here; the compiled form holds no key.
"""

import re
from collections.abc import Mapping
from uuid import UUID

import msgspec

from exam_engine.assembly.model import CompiledForm, PaperCode
from item_bank.model.responses import ResponseShape, shape_of_slot


class Paper(msgspec.Struct, frozen=True):
    """A compiled form with its paper codes and the shape of an answer to each slot."""

    compiled: CompiledForm
    codes: Mapping[UUID, PaperCode]
    shapes: Mapping[int, ResponseShape]

    @property
    def hash(self) -> str:
        """The hash under which the bytes never change."""
        return self.compiled.hash

    def blob(self, accepts: str) -> tuple[bytes, str]:
        """Return the bytes and their encoding ("br", "gzip" or "") for an Accept-Encoding header."""
        offered = {part.partition(";")[0].strip(): part.strip() for part in accepts.lower().split(",")}
        for encoding, content in (("br", self.compiled.brotli), ("gzip", self.compiled.gzip)):
            if encoding in offered and not re.search(r"q=0(\.0*)?$", offered[encoding]):
                return content, encoding
        return self.compiled.body, ""


def read_paper(compiled: CompiledForm, codes: tuple[PaperCode, ...]) -> Paper:
    """Read out of a compiled form what answers are checked against."""
    form = msgspec.json.decode(compiled.body)
    shapes = {item["slot"]: shape_of_slot(item) for item in form["items"]}
    return Paper(compiled, {code.id: code for code in codes}, shapes)
