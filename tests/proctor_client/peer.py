"""An HTTP peer that speaks the candidate's protocol and misbehaves on demand: refuses, delays, forgets, takes leases.

Real servers are tried in `tests/journeys`; this one exists for the moments a real one cannot be asked to have.
"""

import json
import mimetypes
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.proctor_client import papers
from tests.proctor_client.seals import ATTEMPT, PeerSeal, Refusal

DIST = Path(__file__).resolve().parents[2] / "proctor_client" / "dist"
FORM_HASH = "ab" * 32
RECEIPT = "R1.4KQ2.MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43UOV3HO6DZPI.GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class ExamPeer:
    """One candidate, one attempt, everything in memory."""

    def __init__(self, form: dict[str, Any]) -> None:
        self.form = form
        self.lock = threading.Lock()
        self.ahead_ms = 0  # how far this server's clock is ahead of the browser's computer
        self.starts_in_ms = 0
        self.starts_ms: int | None = None  # a moment that stays, for tests that move the clocks
        self.minutes = form["minutes"]
        self.state = "ready"
        self.lease = 0
        self.client = ""
        self.deadline_ms = 0
        self.extra_seconds = 0
        self.responses: dict[int, dict[str, Any]] = {}
        self.notices: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.saves: list[dict[str, Any]] = []
        self.late: list[dict[str, Any]] = []  # refused and kept as evidence
        self.failing: tuple[int, int] | None = None  # status and Retry-After of everything below /api
        self.token = "token-1"
        self.photo = b""  # JPEG
        self.is_dark = False  # the cable is out: connections end without an answer
        self.second_seat = "take_over"
        self.claimant = ""
        self.is_paused = self.is_locked = False
        self.is_stored = True  # the second store has what was handed in
        self.seal: PeerSeal | None = None  # seals papers as the real server does
        self.claimed_ms = 0  # when a seat began without a network, as it told
        self.pages: dict[str, tuple[str, bytes]] = {}
        self.routes: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {}

    def now_ms(self) -> int:
        return int(time.time() * 1000) + self.ahead_ms

    def lose_hand_in(self) -> None:
        """Its memory is gone, and the second store had heard of nothing since the start."""
        self.state = "running"
        self.lease = 86_400_000
        self.responses.clear()

    def take_lease(self) -> None:
        """Another seat opens the attempt."""
        self.lease += 1
        self.client = "another-seat"

    def admit(self) -> None:
        """The invigilator lets in who asked last."""
        self.lease += 1
        self.client = self.claimant

    def give_minutes(self, minutes: int, text: str) -> None:
        self.deadline_ms += minutes * 60_000
        self.extra_seconds += minutes * 60
        self.notices.append({"id": len(self.notices) + 1, "kind": "time", "text": text, "extra_seconds": minutes * 60})

    def say(self, text: str) -> None:
        self.notices.append({"id": len(self.notices) + 1, "kind": "message", "text": text})

    # -- the protocol

    def answer(self, method: str, path: str, body: dict[str, Any], token: str) -> Any:
        if self.failing:
            raise Refusal(self.failing[0], "unavailable", retry_after=self.failing[1])
        route = path.split("?")[0]
        if route == "/api/candidate/sign-in":
            if body["code"].replace("-", "") != "7K3M9QXA2B4D":
                raise Refusal(401, "sign-in-refused")
            return {
                "token": self.token,
                "candidate": self._candidate(),
                "exam": {"code": body["exam"], "name": "Thi thử tốt nghiệp THPT 2027"},
                **self._attempts(),
            }
        if (method, route) in self.routes:
            return self.routes[method, route](body)
        if token != f"Bearer {self.token}":
            raise Refusal(401, "sign-in-needed")
        if route == "/api/candidate/attempts":
            return self._attempts()
        if route == "/api/candidate/photo":
            return self.photo
        if route.startswith("/api/forms/"):
            return self.form
        if self.seal and route == f"/api/papers/{self.seal.hash}":
            return self.seal.paper
        if self.seal and route == f"/api/attempts/{ATTEMPT}/sealed-start":
            starts = self._attempts()["attempts"][0]["starts_at_ms"]
            return self.seal.sealed_start(self.form, self._candidate(), starts, self.minutes)
        return getattr(self, "_" + route.rsplit("/", 1)[1])(path, body)

    def _candidate(self) -> dict[str, Any]:
        return {"number": "31000123", "name": "Nguyễn Trần Khánh Vân", "school": "THPT Lê Quý Đôn"}

    def _attempts(self) -> dict[str, Any]:
        starts = self.now_ms() + self.starts_in_ms if self.state == "ready" else self.now_ms() - 60_000
        starts = self.starts_ms or starts
        attempt = {
            "attempt_id": ATTEMPT,
            "sitting_id": ATTEMPT,
            "subject": self.form["title"],
            "state": self.state,
            "starts_at_ms": starts,
            "ends_at_ms": starts + self.minutes * 60_000 + 600_000,
            "minutes": self.minutes,
            "room": "P03",
            "seat": 12,
        }
        if self.state == "ready":
            attempt["notices"] = self.notices
        if self.seal and self.state == "ready":
            attempt["sealed_hash"] = self.seal.hash
        return {"attempts": [attempt], "server_time_ms": self.now_ms()}

    def _clock(self) -> dict[str, Any]:
        return {
            "server_time_ms": self.now_ms(),
            "deadline_ms": self.deadline_ms,
            "state": self.state,
            "is_paused": self.is_paused,
            "is_locked": self.is_locked,
        }

    def _start(self, _path: str, body: dict[str, Any]) -> Any:
        if self.state in ("submitted", "closed"):
            raise Refusal(409, "attempt-closed", state=self.state)
        if self.state == "ready":
            self.claimed_ms = body.get("started_at_ms", 0)
            if self.seal and self.claimed_ms:
                self.seal.require_proof(self.claimed_ms, body["proof"])
            self.started_ms = self.claimed_ms or self.now_ms()
            self.state, self.deadline_ms = "running", self.started_ms + self.minutes * 60_000
        if not self.client or (body["client_id"] != self.client and self.second_seat == "take_over"):
            self.client, self.lease = body["client_id"], self.lease + 1
        lease = self.lease if body["client_id"] == self.client else 0
        if not lease:
            self.claimant = body["client_id"]
        held = [{k: r[k] for k in ("slot", "sequence", "value")} for r in self.responses.values()]
        return {
            "attempt_id": ATTEMPT,
            "form_hash": self.seal.form_hash if self.seal else FORM_HASH,
            "paper_code": "0101",
            "ordering": papers.ordering(self.form),
            "lease": lease,
            "started_at_ms": self.started_ms,
            "extra_seconds": self.extra_seconds,
            "responses": held,
            "notices": self.notices,
            "candidate": self._candidate(),
            **self._clock(),
            **(self.seal.keys() if self.seal else {}),
        }

    def _require_writable(self, body: dict[str, Any]) -> None:
        if self.state != "running":
            raise Refusal(409, "attempt-closed", state=self.state)
        if self.is_locked:
            raise Refusal(409, "attempt-locked")
        if body["lease"] != self.lease:
            raise Refusal(409, "lease-taken", lease=self.lease)

    def _responses(self, _path: str, body: dict[str, Any]) -> Any:
        try:
            self._require_writable(body)
        except Refusal:
            self.late += body["responses"]
            raise
        for response in body["responses"]:
            self.saves.append(response)
            held = self.responses.get(response["slot"])
            if held is None or held["sequence"] < response["sequence"]:
                self.responses[response["slot"]] = response
        saved = [{"slot": r["slot"], "sequence": self.responses[r["slot"]]["sequence"]} for r in body["responses"]]
        return {"saved": saved, "notices": [n for n in self.notices if n["id"] > body["after"]], **self._clock()}

    def _time(self, path: str, _body: dict[str, Any]) -> Any:
        after = int(parse_qs(urlsplit(path).query)["after"][0])
        return {"notices": [n for n in self.notices if n["id"] > after], "lease": self.lease, **self._clock()}

    def _submission(self, _path: str, body: dict[str, Any]) -> Any:
        if self.state != "submitted":
            self._require_writable(body)
            missing = [
                int(s)
                for s, q in body["sequences"].items()
                if self.responses.get(int(s), {"sequence": 0})["sequence"] < q
            ]
            if missing:
                raise Refusal(409, "responses-missing", missing=missing)
            self.state = "submitted"
        answered = sum(r["value"] not in (None, "", [], {}) for r in self.responses.values())
        return {"state": "submitted", "submitted_at_ms": self.now_ms(), "answered": answered, "receipt": RECEIPT}

    def _receipt(self, _path: str, _body: dict[str, Any]) -> Any:
        if self.state not in ("submitted", "closed"):
            raise Refusal(409, "receipt-not-yet")
        done = {"state": self.state, "reason": "", "finished_at_ms": self.now_ms(), "answered": len(self.responses)}
        held = [{"slot": slot, "sequence": held["sequence"]} for slot, held in self.responses.items()]
        return {"receipt": RECEIPT, **done, "saved": held, "is_stored": self.is_stored}

    def _events(self, _path: str, body: dict[str, Any]) -> Any:
        self.events.extend(body["events"])
        return {}


class PeerServer(ThreadingHTTPServer):
    """The peer behind a port of its own; also serves the built files as the API does."""

    daemon_threads = True

    def __init__(self, peer: ExamPeer) -> None:
        self.peer = peer
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, name="exam-peer", daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PeerServer

    def log_message(self, *_args: Any) -> None:
        """Quiet: failures show in the tests."""

    def do_GET(self) -> None:
        route = self.path.split("?")[0]
        if route.startswith("/api/"):
            self._api("GET")
        elif route in self.server.peer.pages:
            self._send(200, *self.server.peer.pages[route])
        elif route in ("/exam", "/exam/"):
            self._send(200, "text/html; charset=utf-8", (DIST / "exam.html").read_bytes())
        elif route == "/exam/worker.js":
            self._send(200, "text/javascript", (DIST / "exam" / "worker.js").read_bytes())
        elif route.startswith("/static/") and (DIST / route.removeprefix("/static/")).is_file():
            file = DIST / route.removeprefix("/static/")
            self._send(
                200,
                mimetypes.guess_type(file.name)[0] or "application/octet-stream",
                file.read_bytes(),
                {"Cache-Control": "public, max-age=31536000, immutable"},
            )
        elif route.startswith("/media/"):
            self._send(
                200, "image/svg+xml", papers.FIGURE_SVG, {"Cache-Control": "public, max-age=31536000, immutable"}
            )
        else:
            self._send(404, "text/plain", b"not here")

    def do_POST(self) -> None:
        self._api("POST")

    def _api(self, method: str) -> None:
        if self.server.peer.is_dark:
            self.close_connection = True
            return
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length)
        body = json.loads(sent) if self.headers.get("Content-Type") == "application/json" and sent else {}
        try:
            with self.server.peer.lock:
                answer = self.server.peer.answer(method, self.path, body, self.headers.get("Authorization", ""))
            if isinstance(answer, bytes):
                self._send(200, "application/octet-stream", answer)
            else:
                self._send(200, "application/json", json.dumps(answer).encode())
        except Refusal as refusal:
            problem = {
                "type": "about:blank",
                "title": refusal.code,
                "status": refusal.status,
                "detail": "",
                "code": refusal.code,
                **refusal.facts,
            }
            headers = {"Retry-After": str(refusal.facts["retry_after"])} if "retry_after" in refusal.facts else {}
            self._send(refusal.status, "application/problem+json", json.dumps(problem).encode(), headers)

    def _send(self, status: int, media_type: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": media_type,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": POLICY,
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
