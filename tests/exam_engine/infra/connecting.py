"""A plain connection to a database by its address."""

import asyncpg
from sqlalchemy.engine import make_url


async def connect(database_url: str | None, timeout: float = 10.0) -> "asyncpg.Connection[asyncpg.Record]":
    assert database_url is not None
    url = make_url(database_url)
    return await asyncpg.connect(host=url.query["host"], user=url.username, database=url.database, timeout=timeout)
