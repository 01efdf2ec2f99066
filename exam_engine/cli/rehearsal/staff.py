"""A member of staff over HTTP: session cookie and CSRF header, as the pages use them."""

import asyncio
import time
from http import HTTPStatus
from typing import Any, Self

import httpx

from exam_engine.cli.rehearsal.bot import RehearsalRefused

PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.2


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
        return await self._send("GET", path, params=query)

    async def post(self, path: str, body: Any = None) -> Any:
        """Act, and return what came as plain values."""
        headers = {"x-csrftoken": self._client.cookies.get("csrftoken") or ""}
        return await self._send("POST", path, json=body, headers=headers)

    async def _send(self, method: str, path: str, **options: Any) -> Any:
        """Send; what never reached the engine, or met it while it was away, is sent again."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self._client.request(method, path, **options)
            except httpx.ConnectError as error:
                reason = type(error).__name__
            else:
                if answer.is_success:
                    return answer.json() if answer.content else None
                reason = answer.text[:500]
                if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                    raise RehearsalRefused(self._user_name, f"{method} {path}", reason)
            if time.monotonic() > deadline:
                raise RehearsalRefused(self._user_name, f"{method} {path}", reason)
            await asyncio.sleep(PAUSE_SECONDS)
