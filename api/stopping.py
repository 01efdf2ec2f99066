"""Long-lived answers end when the worker is told to stop, before the server waits for them.

Both granian and uvicorn wait for open answers before they end the application's lifespan, so the lifespan alone would
never be told while somebody watches a room. The signal itself is the first thing a worker hears.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_stop(act: Callable[[], None]) -> Iterator[None]:
    """Call `act` in the running loop once a stop signal arrives; the server's own handlers run as before."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def hear(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(act)
        known = before[signal.Signals(number)]
        if callable(known):
            known(number, frame)

    try:
        for number in SIGNALS:
            # The loop's own handlers hang on the wake-up descriptor and are called beside this one.
            signal.signal(number, hear)
    except ValueError:  # not in the main thread: whoever runs us there ends us by the lifespan
        yield
        return
    try:
        yield
    finally:
        for number, known in before.items():
            if signal.getsignal(number) is hear:
                signal.signal(number, known if known is not None else signal.SIG_DFL)
