"""Counting of requests: the same counters whichever way a request came in."""

import time
from http import HTTPStatus
from typing import Any, Self

from litestar.plugins.prometheus import PrometheusConfig, PrometheusMiddleware
from prometheus_client import Counter

PASSED_ON = Counter("exam_http_passed_on", "Requests to hot routes that only the framework could answer")
REQUEST_METRICS = PrometheusConfig(prefix="exam_http", group_path=True, exclude=["^/static/", "^/metrics"])


class RouteMetrics:
    """The counters of one route, their labels resolved once: a look-up by labels costs more than the counting."""

    def __init__(self, method: str, path_template: str) -> None:
        self._labels: dict[str, str | int | float] = {
            "method": method,
            "path": path_template,
            "status_code": int(HTTPStatus.OK),
            "app_name": REQUEST_METRICS.app_name,
        }
        self._metrics = PrometheusMiddleware(_nowhere, REQUEST_METRICS)
        self._in_progress = self._metrics.requests_in_progress(self._labels).labels(*self._labels.values())
        self._by_status: dict[int, tuple[Any, Any]] = {}

    def counted(self) -> "_Counted":
        """Count what is done inside; an exception means that somebody else answers, and counts."""
        return _Counted(self)

    def begin(self) -> None:
        """Count a request in."""
        self._in_progress.inc()

    def leave(self) -> None:
        """Count a request out that was not answered here."""
        self._in_progress.dec()

    def end(self, status: int, seconds_taken: float) -> None:
        """Count an answered request out."""
        self._in_progress.dec()
        known = self._by_status.get(status)
        if known is None:
            known = self._by_status[status] = self._of_status(status)
        count, seconds = known
        count.inc()
        seconds.observe(seconds_taken)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            labels = self._labels | {"status_code": status}
            self._metrics.requests_error_count(labels).labels(*labels.values()).inc()

    def _of_status(self, status: int) -> tuple[Any, Any]:
        labels = self._labels | {"status_code": status}
        return (
            self._metrics.request_count(labels).labels(*labels.values()),
            self._metrics.request_time(labels).labels(*labels.values()),
        )


class _Counted:
    """One request being counted; whoever answers it sets the status."""

    __slots__ = ("_began", "_route", "status")

    def __init__(self, route: RouteMetrics) -> None:
        self._route, self.status, self._began = route, int(HTTPStatus.OK), 0.0

    def __enter__(self) -> Self:
        self._route.begin()
        self._began = time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: object, _trace: object) -> None:
        if kind is None:
            self._route.end(self.status, time.perf_counter() - self._began)
        else:
            self._route.leave()


async def _nowhere(_scope: Any, _receive: Any, _send: Any) -> None:
    """Stand where the middleware wants an application; only its counters are used here."""
