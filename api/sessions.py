"""Sessions of staff in Redis: written only when they change, and with a new id whenever the person changes.

Litestar's own backend writes a session for every visitor, signed in or not; on a results day that would be one
fsync a view.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.middleware.session.server_side import ServerSideSessionBackend, ServerSideSessionConfig
from litestar.types import Message, ScopeSession

from api.security import SESSION_PERSON

COOKIE = "session"

_LOADED = "exam_engine.loaded_session"


def has_lost_session(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """Whether a browser shows a session nobody knows any more: it ran out, or Redis began empty.

    Signing out takes the cookie away, so who did that, or never signed in, shows none.
    """
    # Where no session is asked for at all (seats, look-ups), none was lost either.
    return bool(connection.cookies.get(COOKIE)) and connection.scope.get("state", {}).get(_LOADED) == {}


class StaffSessionBackend(ServerSideSessionBackend):
    """A server-side session that leaves visitors without one."""

    async def load_from_connection(self, connection: ASGIConnection[Any, Any, Any, Any]) -> dict[str, Any]:
        """Load the session of the cookie, and remember what was loaded."""
        session = await super().load_from_connection(connection)
        connection.scope["state"][_LOADED] = dict(session)
        return session

    async def store_in_message(
        self, scope_session: ScopeSession, message: Message, connection: ASGIConnection[Any, Any, Any, Any]
    ) -> None:
        """Write the session if it changed; an emptied one is deleted together with its cookie."""
        loaded: dict[str, Any] = connection.scope["state"].get(_LOADED, {})
        session = scope_session if isinstance(scope_session, dict) else {}
        if session == loaded:
            return
        store = self.config.get_store_from_app(connection.scope["litestar_app"])
        held_id = connection.cookies.get(self.config.key)
        headers = MutableScopeHeaders.from_message(message)
        if not session:
            if held_id:
                await self.delete(held_id, store=store)
            headers.add("Set-Cookie", self._cookie("", 0))
            return
        # A session id that was known before somebody signed in must not become theirs (session fixation).
        is_same_person = session.get(SESSION_PERSON) == loaded.get(SESSION_PERSON)
        session_id = held_id if held_id and loaded and is_same_person else self.generate_session_id()
        if held_id and held_id != session_id:
            await self.delete(held_id, store=store)
        await self.set(session_id, self.serialize_data(session, connection.scope), store=store)
        headers.add("Set-Cookie", self._cookie(session_id, self.config.max_age))

    def _cookie(self, value: str, max_age: int) -> str:
        config = self.config
        cookie = Cookie(
            key=config.key,
            value=value,
            path=config.path,
            max_age=max_age,
            secure=config.secure,
            httponly=True,
            samesite=config.samesite,
        )
        return cookie.to_header(header="")


class StaffSessionConfig(ServerSideSessionConfig):
    """Server-side sessions with the backend of ours."""

    _backend_class = StaffSessionBackend
