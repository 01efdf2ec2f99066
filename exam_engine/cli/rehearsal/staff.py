"""A member of staff over HTTP: session cookie and CSRF header, as the pages use them."""

from typing import Any, Self

import httpx

from exam_engine.cli.rehearsal.bot import RehearsalRefused


class StaffClient:
    """One signed-in person."""

    def __init__(self, base_url: str, user_name: str) -> None:
        self._user_name = user_name
        self._client = httpx.AsyncClient(base_url=base_url, timeout=60.0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def sign_in(self, password: str) -> Self:
        """Begin a session."""
        await self._client.get("/api/staff/me")  # brings the CSRF cookie
        await self.post("/api/staff/sign-in", {"user_name": self._user_name, "password": password})
        return self

    async def get(self, path: str, **query: Any) -> Any:
        """Ask, and return what came as plain values."""
        return self._answer("GET", path, await self._client.get(path, params=query))

    async def post(self, path: str, body: Any = None) -> Any:
        """Act, and return what came as plain values."""
        headers = {"x-csrftoken": self._client.cookies.get("csrftoken") or ""}
        return self._answer("POST", path, await self._client.post(path, json=body, headers=headers))

    def _answer(self, method: str, path: str, answer: httpx.Response) -> Any:
        if not answer.is_success:
            raise RehearsalRefused(self._user_name, f"{method} {path}", answer.text[:500])
        return answer.json() if answer.content else None
