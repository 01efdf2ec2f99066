"""Safe Exam Browser settings of a sitting: made, handed out, forgotten; and the check a seat is asked for."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.delivery.model import SittingId
from exam_engine.delivery.store import SittingContext
from exam_engine.invigilation import safe_browser, store
from exam_engine.invigilation.errors import SafeBrowserMissing
from exam_engine.invigilation.safe_browser import SafeBrowser


async def make_safe_browser(
    session: AsyncSession,
    context: SittingContext,
    *,
    base_url: str,
    quit_password: str = "",
    actor: str,
    now: datetime,
) -> SafeBrowser:
    """Make the settings of a sitting, in place of those made before; its seats are expected in them from now on."""
    made = safe_browser.make_settings(base_url, context.exam_code, quit_password)
    await store.save_safe_browser(session, context.sitting.id, made, by=actor, at=now)
    facts = {"code": context.sitting.code, "config_key": made.config_key, "has_quit_password": bool(quit_password)}
    await _record(session, "sitting.safe_browser", context, facts, actor, now)
    return made


async def drop_safe_browser(session: AsyncSession, context: SittingContext, *, actor: str, now: datetime) -> None:
    """Expect the seats of a sitting in any browser again.

    Raises
    ------
    SafeBrowserMissing
    """
    if not await store.delete_safe_browser(session, context.sitting.id):
        raise SafeBrowserMissing(context.sitting.code)
    await _record(session, "sitting.any_browser", context, {"code": context.sitting.code}, actor, now)


async def find_safe_browser(session: AsyncSession, sitting_id: SittingId) -> SafeBrowser | None:
    """Return the settings of a sitting, where there are any."""
    return await store.find_safe_browser(session, sitting_id)


async def require_safe_browser(session: AsyncSession, context: SittingContext) -> SafeBrowser:
    """Return the settings of a sitting.

    Raises
    ------
    SafeBrowserMissing
    """
    found = await store.find_safe_browser(session, context.sitting.id)
    if found is None:
        raise SafeBrowserMissing(context.sitting.code)
    return found


async def _record(
    session: AsyncSession, action: str, context: SittingContext, facts: dict[str, object], actor: str, now: datetime
) -> None:
    subject = f"sitting:{context.sitting.id}"
    await audit.append(session, actor=actor, action=action, subject=subject, facts=facts, now=now)
