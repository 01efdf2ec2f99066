"""Every public key this installation ever signed with, so that an old receipt can be checked for ever."""

from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery.signing import PublishedKeys, SigningKey, VerifyingKey
from exam_engine.delivery.store import keys as store


async def note_key(session: AsyncSession, key: SigningKey, now: datetime) -> None:
    """Note the key that signs now; a changed master secret ends the one before."""
    await store.save_key_in_use(session, key.public.raw, now)


async def published_keys(session: AsyncSession, key: SigningKey, *, time_zone: str, now: datetime) -> PublishedKeys:
    """Return all keys with their dates, the newest first; the present one is noted where no start has done it."""
    found = await store.load_keys(session)
    if not any(one.public_key == key.public.raw and one.used_until is None for one in found):
        await note_key(session, key, now)
        found = await store.load_keys(session)
    published = [
        msgspec.structs.replace(
            VerifyingKey(one.public_key).published(), used_from=one.used_from, used_until=one.used_until
        )
        for one in found
    ]
    return PublishedKeys(tuple(published), time_zone=time_zone)
