"""Every route of the application, as one literal list; a controller is added here and nowhere else."""

from litestar import get
from litestar.datastructures import CacheControlHeader
from litestar.response import File
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler

from api import health
from api.candidate import CandidateController
from api.media import media
from api.pages.admission import AdmissionPages
from api.pages.exams import ExamPages
from api.pages.forms import FormPages
from api.pages.house import HousePages
from api.pages.item_imports import ItemImportPages
from api.pages.items import ItemPages
from api.pages.marking import MarkingPages
from api.pages.public import PublicPages
from api.pages.results import ResultPages
from api.pages.sittings import SittingPages
from api.pages.staff_session import StaffSessionPages
from api.pages.templating import DIST
from api.public import PublicController
from api.staff.admission import AdmissionController
from api.staff.exams import ExamController
from api.staff.forms import FormController
from api.staff.items import ItemController
from api.staff.results import ResultController
from api.staff.session import SessionController
from api.staff.sittings import SittingController

ROUTES: list[ControllerRouterHandler] = [
    health.live,
    health.ready,
    health.metrics,
    CandidateController,
    SessionController,
    ExamController,
    ItemController,
    FormController,
    SittingController,
    ResultController,
    AdmissionController,
    PublicController,
    PublicPages,
    media,
    StaffSessionPages,
    ExamPages,
    ItemImportPages,
    ItemPages,
    FormPages,
    SittingPages,
    ResultPages,
    AdmissionPages,
    MarkingPages,
    HousePages,
]


def static_routes() -> list[ControllerRouterHandler]:
    """Built assets (their names carry a hash, so browsers keep them for ever), the player and its service worker."""
    if not DIST.is_dir():
        return []
    assets = create_static_files_router(
        path="/static",
        directories=[DIST],
        cache_control=CacheControlHeader(public=True, max_age=31_536_000, immutable=True),
        include_in_schema=False,
    )
    return [assets, player_page, player_worker]


@get(["/exam", "/exam/"], include_in_schema=False)
async def player_page() -> File:
    """The candidate's page: a static shell, the same for everybody."""
    return _fresh_file("exam.html", "text/html; charset=utf-8")


@get("/exam/worker.js", include_in_schema=False)
async def player_worker() -> File:
    """The player's service worker; it must stand below /exam/ to rule there, and must never be kept."""
    return _fresh_file("exam/worker.js", "text/javascript; charset=utf-8")


def _fresh_file(name: str, media_type: str) -> File:
    return File(
        DIST / name,
        media_type=media_type,
        content_disposition_type="inline",
        headers={"Cache-Control": "no-cache"},
    )
