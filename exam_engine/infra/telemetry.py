"""Logs as events with fields, and counters. Never a response text, a key, a code or a password.

Several processes count together when PROMETHEUS_MULTIPROC_DIR is set before the first import; the supervisor does that.
"""

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer

from exam_engine.infra.settings import Settings

if TYPE_CHECKING:
    from structlog.typing import Processor

logger: Any = structlog.get_logger("exam_engine")


def set_up_logging(settings: Settings) -> None:
    """Send our events and those of the libraries to standard error, as text or as JSON."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[Processor]
    # Tracebacks without the values of variables: those hold answers and secrets, and painting them keeps a worker's
    # event loop from its seats for seconds, just when a server has gone away.
    if settings.log_format == "json":
        tracebacks = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
        last = [tracebacks, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        last = [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr is not None and sys.stderr.isatty(),
                pad_event_to=0,
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # Started with a closed standard error there is none; the process must run all the same.
    stream = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (open as long as the process)
    handler = _PatientHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)  # libraries speak when something is wrong
    for ours in ("exam_engine", "api"):
        logging.getLogger(ours).setLevel(settings.log_level.upper())


def render_metrics(accept_header: str) -> tuple[bytes, str]:
    """Return every counter in the format the scraper asks for, and its media type; all processes count together."""
    from prometheus_client import REGISTRY, CollectorRegistry
    from prometheus_client.exposition import choose_encoder
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    encoder, media_type = choose_encoder(accept_header)
    return encoder(registry), media_type


class _PatientHandler(logging.StreamHandler[Any]):
    """A handler that drops a line rather than the process when the other end of the pipe is gone."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the name is logging's)
        del record
