"""Work that goes on until it is cancelled, and a cancellation that got lost on its way."""

import asyncio


def end_if_cancelled() -> None:
    """Raise the cancellation of this task that a library below has swallowed; loops ask once a turn.

    `asyncio.wait_for` of Python 3.11 returns the result of what has just finished instead of the cancellation that came
    in the same turn of the event loop (CPython #86296, mended in 3.12), and redis-py sends commands through it. One
    cancellation in twelve was lost; the task itself remembers that it was asked to end.

    Raises
    ------
    asyncio.CancelledError
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
