"""Liveness, readiness and metrics."""

from typing import Any

from litestar import Request, Response, get
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE

from api.acts import engine_of
from exam_engine.infra.telemetry import render_metrics
from exam_engine.wiring import readiness


@get("/health/live", tags=["health"], summary="The process runs")
async def live() -> dict[str, str]:
    """Answer as long as the process runs."""
    return {"status": "live"}


@get("/health/ready", tags=["health"], summary="PostgreSQL and Redis answer and nothing lags")
async def ready(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """Answer 200 when every server we depend on answers, else 503 and which does not."""
    findings = await readiness(engine_of(request))
    is_ready = all(finding.is_well for finding in findings)
    return Response(
        {"status": "ready" if is_ready else "not ready", "findings": findings},
        status_code=HTTP_200_OK if is_ready else HTTP_503_SERVICE_UNAVAILABLE,
    )


@get("/metrics", tags=["health"], summary="Prometheus metrics of all workers", media_type="text/plain")
async def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Answer the counters of all workers together."""
    body, media_type = render_metrics(request.headers.get("accept", ""))
    return Response(body, media_type=media_type)
