"""The one outbox: a job is inserted in the transaction of its cause, so it exists exactly if the cause does.

The queue package is called by its SQL function because its own Python cannot join our session's transaction.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

DEFAULT_QUEUE = "default"

# The function's name carries the version of its signature; a test compares it with the installed package.
DEFER = text(
    "select unnest(procrastinate_defer_jobs_v1(array[row("
    "cast(:queue as varchar), cast(:task as varchar), cast(:priority as integer), "
    "cast(:lock as text), cast(:queueing_lock as text), :arguments, cast(:at as timestamptz)"
    ")::procrastinate_job_to_defer_v1]))"
).bindparams(bindparam("arguments", type_=JSONB))


async def defer(
    session: AsyncSession,
    task: str,
    arguments: Mapping[str, Any],
    *,
    at: datetime | None = None,
    lock: str | None = None,
    queueing_lock: str | None = None,
) -> int | None:
    """Insert a job that starts once this transaction commits, or at a later moment.

    Parameters
    ----------
    task
        A name of `exam_engine.jobs.tasks.TASKS`.
    arguments
        Plain JSON values: identifiers, never secrets.
    at
        Not before this moment; none: at once.
    lock
        Jobs with the same lock run one after the other.
    queueing_lock
        Only one job with this lock waits at a time.

    Returns
    -------
    int or None
        The job's number; none if one with this `queueing_lock` waits already.
    """
    values = {
        "queue": DEFAULT_QUEUE,
        "task": task,
        "priority": 0,
        "lock": lock,
        "queueing_lock": queueing_lock,
        "arguments": dict(arguments),
        "at": at,
    }
    if queueing_lock is None:
        return int((await session.execute(DEFER, values)).scalar_one())
    try:
        async with session.begin_nested():
            return int((await session.execute(DEFER, values)).scalar_one())
    except IntegrityError as error:
        if "queueing_lock" not in str(error.orig):
            raise
        return None
