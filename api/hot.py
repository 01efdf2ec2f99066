"""The routes that thousands of seats call at once, before the framework: from signing in to the receipt, and look-up.

Only what is exactly as a correct client sends it is served here, by the functions that the framework's routes call too.
Everything else (another path, a query, header, body or number that is not as expected, a missing token) goes to the
framework untouched, so that refusals are written once; what the functions refuse becomes the same problem document.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Litestar, Request
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from api.app import create_app
from api.candidate import form_answer, let_in, start_paper
from api.headers import ENCODED_DATA_HEADERS
from api.metrics import PASSED_ON, RouteMetrics
from api.patience import IDLE_SECONDS, BodyTooSlow, Patient, Watch
from api.problems import problem_response
from api.public import LookUpBody, find_decision, find_result
from exam_engine.delivery import wire
from exam_engine.delivery.errors import TokenExpired, TokenInvalid
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import MAXIMUM_SEQUENCE, AttemptId
from exam_engine.delivery.tokens import CandidatePass
from exam_engine.infra.garbage import collect_rarely

MAXIMUM_BODY_BYTES = 64 * 1024  # longer ones are rare and the framework's affair
_LENGTH_DIGITS = len(str(MAXIMUM_BODY_BYTES))  # of thousands of noughts Python makes no number
_ATTEMPTS = "/api/attempts/"
_FORMS = "/api/forms/"
_ID = slice(len(_ATTEMPTS), len(_ATTEMPTS) + 36)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_AFTER = re.compile(rb"after=(0|[1-9][0-9]{0,15})(?:&lease=(0|[1-9][0-9]{0,8}))?")

_JSON = [(b"content-type", b"application/json")]
_encode = msgspec.json.Encoder().encode
_decode_save = msgspec.json.Decoder(wire.SaveBody).decode
_decode_start = msgspec.json.Decoder(wire.StartBody).decode
_decode_submit = msgspec.json.Decoder(wire.SubmitBody).decode
_decode_card = msgspec.json.Decoder(wire.SignInBody).decode
_decode_claim = msgspec.json.Decoder(LookUpBody).decode

Answer = tuple[bytes, list[tuple[bytes, bytes]]]
_Read = TypeVar("_Read")


class NotHot(Exception):
    """The request is not what a correct client sends here; nothing has happened yet."""


class HotRoutes:
    """The application with its hot routes in front."""

    def __init__(self, app: Litestar, behind: ASGIApp, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._app, self._behind = app, behind
        self._watch = Watch(idle_seconds)
        self._delivery: Delivery | None = None
        self._routes: Mapping[tuple[str, str], _Route] = {
            (method, "/" + last): _Route(method, f"/api/attempts/{{attempt_id}}/{last}", handler)
            for method, last, handler in (
                ("POST", "responses", self._save),
                ("GET", "time", self._time),
                ("POST", "start", self._start),
                ("POST", "submission", self._submit),
                ("GET", "receipt", self._receipt),
            )
        }
        self._form = _Route("GET", "/api/forms/{form_hash}", self._paper)
        self._cards = {
            path: _Route("POST", path, handler)
            for path, handler in (
                ("/api/candidate/sign-in", self._sign_in),
                ("/api/results/look-up", self._look_up(find_result)),
                ("/api/admission/look-up", self._look_up(find_decision)),
            )
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a hot route here, everything else in the framework."""
        route = self._find(scope) if scope["type"] == ScopeType.HTTP else None
        if route is None:
            if scope["type"] == ScopeType.HTTP and scope["path"] == "/metrics":
                for one in (*self._routes.values(), self._form, *self._cards.values()):
                    one.metrics.publish()
            await self._behind(scope, receive, send)
            return
        call = _Call(self._app, self._watch, scope, receive)  # type: ignore[arg-type]
        try:
            await route.serve(call, send)
        except NotHot:
            PASSED_ON.inc()
            await self._behind(scope, call.again, send)

    def _find(self, scope: Scope) -> "_Route | None":
        path = scope["path"]
        if path.startswith(_ATTEMPTS):
            return self._routes.get((scope["method"], path[_ID.stop :]))  # type: ignore[typeddict-item]
        if path.startswith(_FORMS):
            return self._form if scope["method"] == "GET" else None  # type: ignore[typeddict-item]
        return self._cards.get(path) if scope["method"] == "POST" else None  # type: ignore[typeddict-item]

    async def _save(self, call: "_Call") -> Answer:
        attempt, body = call.attempt(), await call.body(_decode_save)
        delivery, candidate = self._candidate(call)
        return _encode(await delivery.save(candidate, attempt, body)), _JSON

    async def _time(self, call: "_Call") -> Answer:
        attempt, (after, lease) = call.attempt(), call.after_and_lease()
        delivery, candidate = self._candidate(call)
        return _encode(await delivery.time(candidate, attempt, after, lease)), _JSON

    async def _start(self, call: "_Call") -> Answer:
        attempt, body = call.attempt(), await call.body(_decode_start)
        delivery, candidate = self._candidate(call)
        return _encode(await start_paper(delivery, candidate, attempt, body)), _JSON

    async def _submit(self, call: "_Call") -> Answer:
        attempt, body = call.attempt(), await call.body(_decode_submit)
        delivery, candidate = self._candidate(call)
        return _encode(await delivery.submit(candidate, attempt, body)), _JSON

    async def _receipt(self, call: "_Call") -> Answer:
        attempt = call.attempt()
        if call.scope["query_string"]:
            raise NotHot
        delivery, candidate = self._candidate(call)
        return _encode(await delivery.receipt(candidate, attempt)), _JSON

    async def _paper(self, call: "_Call") -> Answer:
        form_hash = call.scope["path"][len(_FORMS) :]
        if _HASH.fullmatch(form_hash) is None or call.scope["query_string"]:
            raise NotHot
        delivery, candidate = self._candidate(call)
        body, headers = await form_answer(delivery, candidate, form_hash, call.text(b"accept-encoding"))
        return body, [*_JSON, *((name.lower().encode(), value.encode()) for name, value in headers.items())]

    async def _sign_in(self, call: "_Call") -> Answer:
        card = await call.body(_decode_card)
        return _encode(await let_in(call.request(), card)), _JSON

    def _look_up(self, find: Callable[[Request[Any, Any, Any], LookUpBody], Awaitable[Any]]) -> "_Handler":
        async def answer(call: _Call) -> Answer:
            claim = await call.body(_decode_claim)
            return _encode(await find(call.request(), claim)), _JSON

        return answer

    def _candidate(self, call: "_Call") -> tuple[Delivery, CandidatePass]:
        delivery = self._delivery
        if delivery is None:
            delivery = self._delivery = self._app.state.delivery
        shown = call.text(b"authorization")
        if shown[:7].lower() != "bearer ":
            raise NotHot
        try:
            return delivery, delivery.authenticate(shown[7:].strip())
        except (TokenInvalid, TokenExpired) as error:
            raise NotHot from error


class _Call:
    """One request on its way: what was read of it, so that the framework can read it again."""

    __slots__ = ("_headers", "_is_late", "_receive", "_task", "_watch", "app", "received", "scope", "until")

    def __init__(self, app: Litestar, watch: Watch, scope: HTTPScope, receive: Receive) -> None:
        self.app, self.scope = app, scope
        self.received: list[Any] = []
        self.until = 0.0
        self._watch, self._receive = watch, receive
        self._headers = dict(scope["headers"])
        self._is_late = False
        self._task: asyncio.Task[Any] | None = None

    def text(self, name: bytes) -> str:
        """Return a header's text, empty when it is missing."""
        return self._headers.get(name, b"").decode("latin-1")

    def attempt(self) -> AttemptId:
        """Return the attempt of the path."""
        try:
            return _attempt_id(self.scope["path"][_ID])
        except ValueError as error:
            raise NotHot from error

    def after_and_lease(self) -> tuple[int, int | None]:
        """Return the last notice the seat has seen, and the lease it believes it has."""
        query = self.scope["query_string"]
        if not query:
            return 0, None
        found = _AFTER.fullmatch(query)
        if found is None or int(found[1]) > MAXIMUM_SEQUENCE:
            raise NotHot
        return int(found[1]), None if found[2] is None else int(found[2])

    async def body(self, decode: Callable[[bytes], _Read]) -> _Read:
        """Return the decoded body of a plain JSON request, read in the time its first part may take: it is short.

        The server's word that nothing follows is not waited for: it costs as much as the body itself.
        """
        headers = self._headers
        digits = headers.get(b"content-length", b"")
        if not digits.isdigit() or len(digits) > _LENGTH_DIGITS or self.scope["query_string"]:
            raise NotHot
        length = int(digits)
        if length > MAXIMUM_BODY_BYTES or not headers.get(b"content-type", b"").startswith(b"application/json"):
            raise NotHot
        self._task = asyncio.current_task()
        self._watch.begin(self)
        try:
            content = b""
            while True:
                message = await self._receive()
                self.received.append(message)
                if message["type"] != "http.request":
                    raise NotHot
                content += message["body"]
                if len(content) >= length or not message.get("more_body"):
                    break
        except asyncio.CancelledError:
            if not self._is_late or self._task is None or self._task.uncancel() > 0:
                raise
            raise BodyTooSlow from None
        finally:
            self._watch.end(self)
        try:
            return decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise NotHot from error

    def give_up(self) -> None:
        """Stop waiting for the body."""
        self._is_late = True
        if self._task is not None:
            self._task.cancel()

    def request(self) -> Request[Any, Any, Any]:
        """Return the request as the framework's own functions take it."""
        scope: Any = self.scope
        scope["litestar_app"] = self.app
        scope.setdefault("state", {})
        return Request(scope, self.again)

    async def again(self) -> Any:
        """Receive: first what was read already."""
        return self.received.pop(0) if self.received else await self._receive()


@lru_cache(50_000)
def _attempt_id(text: str) -> AttemptId:
    return AttemptId(UUID(text))


_Handler = Callable[[_Call], Awaitable[Answer]]


class _Route:
    """One hot route: its function, its counters, and how its answer leaves."""

    def __init__(self, method: str, template: str, handler: _Handler) -> None:
        self._handler = handler
        self.metrics = RouteMetrics(method, template)

    async def serve(self, call: _Call, send: Send) -> None:
        """Answer a request.

        Raises
        ------
        NotHot
            Nothing has happened yet; the framework may answer.
        """
        began = self.metrics.begin()
        status = 0
        try:
            try:
                body, headers = await self._handler(call)
                status = 200
            except NotHot:
                raise
            except Exception as error:  # noqa: BLE001 (every refusal becomes a problem document)
                status, headers, body = _refusal(call, error)
            await _send(send, status, headers, body)
        finally:
            self.metrics.end(status, began)


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    headers = [*headers, (b"content-length", b"%d" % len(body)), *ENCODED_DATA_HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _refusal(call: _Call, error: Exception) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Return the problem of an error, as the framework's routes answer it."""
    response = problem_response(call.request(), error)
    headers = [(b"content-type", b"application/problem+json")]
    headers += [(name.lower().encode(), value.encode()) for name, value in response.headers.items()]
    return int(response.status_code or 500), headers, _encode(response.content)


def create_server(*, idle_seconds: float = IDLE_SECONDS) -> HotRoutes:
    """Build what the server runs; granian and uvicorn call this without arguments."""
    app = create_app()
    server = HotRoutes(app, Patient(app, idle_seconds=idle_seconds), idle_seconds=idle_seconds)
    collect_rarely()
    return server
