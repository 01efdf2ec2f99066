"""Sealed papers of the peer: sealed by the server's own code, so that browsers open what the product really sends."""

import base64
import gzip
import hashlib
import json
from typing import Any
from uuid import UUID

import msgspec

from exam_engine.assembly.model import CompiledForm, FormId
from exam_engine.delivery import hand_over
from exam_engine.delivery.hand_over import HandOver, SignedContent
from exam_engine.delivery.model import AttemptId, SittingId
from exam_engine.delivery.offline_starts import start_proof
from exam_engine.delivery.sealing import KEY_LABEL, START_LABEL, Figure, SittingSeals, seal_paper
from exam_engine.infra import sealing
from tests.proctor_client import papers

ATTEMPT = "3f2a91bc-0000-4000-8000-000000000001"
ROOM = "P03"
SECRET = b"the master secret of the peer, long enough"


class Refusal(Exception):
    """What the peer answers with a problem."""

    def __init__(self, status: int, code: str, **facts: Any) -> None:
        self.status, self.code, self.facts = status, code, facts


class PeerSeal:
    """One sealed paper and the keys around it."""

    def __init__(self, form: dict[str, Any]) -> None:
        body = json.dumps(form, ensure_ascii=False).encode()
        self.form_hash = hashlib.sha256(body).hexdigest()
        self.seals = SittingSeals(SECRET, SittingId(UUID(ATTEMPT)), self.form_hash)
        figure = Figure(f"/media/{papers.FIGURE}.svg", "image/svg+xml", papers.FIGURE_SVG)
        compiled = CompiledForm(FormId(UUID(ATTEMPT)), self.form_hash, body, b"", gzip.compress(body))
        sealed = seal_paper(self.seals, compiled, [figure])
        self.hash, self.paper = sealed.hash, sealed.content

    @property
    def code(self) -> str:
        """The room's release code."""
        return self.seals.release_code(ROOM)

    def keys(self) -> dict[str, str]:
        """What an envelope brings."""
        seat_key = self.seals.seat_key(UUID(ATTEMPT))
        keys = {
            "paper_key": self.seals.paper_key,
            "seat_key": seat_key,
            "hand_over_key": self.seals.hand_over_key,
        }
        return {name: base64.b64encode(key).decode() for name, key in keys.items()}

    def sealed_start(
        self, form: dict[str, Any], candidate: dict[str, Any], starts_ms: int, minutes: int
    ) -> dict[str, Any]:
        """Return what `GET /attempts/{id}/sealed-start` answers."""
        content = {
            "attempt_id": ATTEMPT,
            "form_hash": self.form_hash,
            "paper_code": "0101",
            "ordering": papers.ordering(form),
            "candidate": candidate,
            "starts_at_ms": starts_ms,
            "latest_start_ms": starts_ms + 900_000,
            "ends_at_ms": starts_ms + minutes * 60_000 + 600_000,
            "duration_ms": minutes * 60_000,
            "extra_ms": 0,
            **{name: key for name, key in self.keys().items() if name != "paper_key"},
        }
        salt = self.seals.salt(ROOM)
        wrapped = sealing.wrap_by_code(self.code.replace("-", ""), salt, KEY_LABEL, self.seals.paper_key)
        start = sealing.seal(self.seals.paper_key, START_LABEL, json.dumps(content).encode())
        parts = {"salt": salt, "wrapped_key": wrapped, "start": start}
        encoded = {name: base64.b64encode(part).decode() for name, part in parts.items()}
        return {"attempt_id": ATTEMPT, "sealed_hash": self.hash, "rounds": sealing.WRAP_ROUNDS, **encoded}

    def require_proof(self, started_ms: int, proof: str) -> None:
        """Refuse a start nobody proved."""
        if start_proof(self.seals, AttemptId(UUID(ATTEMPT)), started_ms) != proof:
            raise Refusal(422, "start-proof-invalid")

    def open_hand_over(self, content: bytes) -> HandOver:
        """Read a hand-over file as the server does."""
        file = hand_over.read_file(content)
        signed = msgspec.json.decode(
            self.seals.open_hand_over(AttemptId(file.attempt_id), file.box), type=SignedContent
        )
        mac = sealing.mac(self.seals.seat_key(file.attempt_id), signed.content.encode()).hex()
        assert mac == signed.mac
        return msgspec.json.decode(signed.content, type=HandOver)
