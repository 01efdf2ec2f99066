"""Counting of requests: the same counters whichever way a request came in."""

import asyncio
import time
from bisect import bisect_left
from http import HTTPStatus
from typing import Any

from litestar.plugins.prometheus import PrometheusConfig, PrometheusMiddleware
from prometheus_client import Counter

PUBLISH_SECONDS = 0.25
PASSED_ON = Counter("exam_http_passed_on", "Requests to hot routes that only the framework could answer")
REQUEST_METRICS = PrometheusConfig(prefix="exam_http", group_path=True, exclude=["^/static/", "^/metrics"])


class RouteMetrics:
    """The counters of one route, counted in this process' memory and published together a few times a second.

    A counter that several processes share lies in a mapped file: counting there costs as much as reading the request.
    """

    def __init__(self, method: str, path_template: str) -> None:
        self._labels: dict[str, str | int | float] = {
            "method": method,
            "path": path_template,
            "status_code": int(HTTPStatus.OK),
            "app_name": REQUEST_METRICS.app_name,
        }
        self._metrics = PrometheusMiddleware(_nowhere, REQUEST_METRICS)
        self._in_progress = self._metrics.requests_in_progress(self._labels).labels(*self._labels.values())
        self._by_status: dict[int, _Answered] = {}
        self._running = 0
        self._is_due = False

    def begin(self) -> float:
        """Count a request in; returns the moment for `end`."""
        self._running += 1
        return time.perf_counter()

    def end(self, status: int, began: float) -> None:
        """Count a request out; without a status somebody else answers, and counts."""
        self._running -= 1
        if status:
            answered = self._by_status.get(status)
            if answered is None:
                answered = self._by_status[status] = _Answered(self._metrics, self._labels | {"status_code": status})
            answered.add(time.perf_counter() - began)
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_later(PUBLISH_SECONDS, self.publish)

    def publish(self) -> None:
        """Bring the shared counters up to date."""
        self._is_due = False
        self._in_progress.set(self._running)
        for answered in self._by_status.values():
            answered.publish()


class _Answered:
    """What was answered with one status since it was last published."""

    __slots__ = ("_buckets", "_count", "_counters", "_errors", "_histogram", "_limits", "_seconds")

    def __init__(self, metrics: PrometheusMiddleware, labels: dict[str, str | int | float]) -> None:
        values = labels.values()
        self._counters = metrics.request_count(labels).labels(*values)
        self._histogram: Any = metrics.request_time(labels).labels(*values)
        is_error = int(labels["status_code"]) >= HTTPStatus.INTERNAL_SERVER_ERROR
        self._errors = metrics.requests_error_count(labels).labels(*values) if is_error else None
        self._limits: list[float] = self._histogram._upper_bounds  # noqa: SLF001 (see publish)
        self._buckets = [0] * len(self._limits)
        self._count, self._seconds = 0, 0.0

    def add(self, seconds: float) -> None:
        """Count one answer."""
        self._count += 1
        self._seconds += seconds
        self._buckets[bisect_left(self._limits, seconds)] += 1

    def publish(self) -> None:
        """Bring the shared counters up to date."""
        if not self._count:
            return
        self._counters.inc(self._count)
        if self._errors is not None:
            self._errors.inc(self._count)
        # The library observes one by one only; these are the values that its own `observe` raises.
        self._histogram._sum.inc(self._seconds)  # noqa: SLF001
        for place, count in enumerate(self._buckets):
            if count:
                self._histogram._buckets[place].inc(count)  # noqa: SLF001
        self._buckets = [0] * len(self._limits)
        self._count, self._seconds = 0, 0.0


async def _nowhere(_scope: Any, _receive: Any, _send: Any) -> None:
    """Stand where the middleware wants an application; only its counters are used here."""
