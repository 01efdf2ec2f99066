"""Every route of the application, as one literal list; a controller is added here and nowhere else."""

from litestar import Router
from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler

from api import health
from api.pages.templating import DIST

ROUTES: list[ControllerRouterHandler] = [
    health.live,
    health.ready,
    health.metrics,
]


def static_routes() -> list[Router]:
    """Built assets: their names carry a hash, so browsers may keep them for ever."""
    if not DIST.is_dir():
        return []
    return [
        create_static_files_router(
            path="/assets",
            directories=[DIST],
            cache_control=CacheControlHeader(public=True, max_age=31_536_000, immutable=True),
            include_in_schema=False,
        )
    ]
