"""Every route of the application, as one literal list; a controller is added here and nowhere else."""

from litestar.types import ControllerRouterHandler

from api import health
from api.assets import asset, player_page, player_worker
from api.candidate import CandidateController
from api.candidate_photo import candidate_photo
from api.media import media
from api.pages.accommodations import AccommodationPages
from api.pages.admission import AdmissionPages
from api.pages.calibration import CalibrationPages
from api.pages.duties import DutyPages
from api.pages.exams import ExamPages
from api.pages.forms import FormPages
from api.pages.house import HousePages
from api.pages.item_imports import ItemImportPages
from api.pages.items import ItemPages
from api.pages.late_answers import LateAnswerPages
from api.pages.marking import MarkingPages
from api.pages.offline import OfflinePages
from api.pages.photos import PhotoPages
from api.pages.postponing import PostponingPages
from api.pages.public import PublicPages
from api.pages.results import ResultPages
from api.pages.rooms import RoomPages
from api.pages.safe_browser import SafeBrowserPages
from api.pages.sitting_checks import SittingCheckPages
from api.pages.sittings import SittingPages
from api.pages.staff_session import StaffSessionPages
from api.pages.statements import StatementPages
from api.public import PublicController
from api.receipts import receipt_keys, receipt_keys_page
from api.safe_browser import check_safe_browser
from api.staff.accommodations import AccommodationController
from api.staff.admission import AdmissionController
from api.staff.calibration import CalibrationController
from api.staff.duties import DutyController
from api.staff.exams import ExamController
from api.staff.forms import FormController
from api.staff.irt_scores import IrtScoreController
from api.staff.items import ItemController
from api.staff.live import room_events
from api.staff.offline import OfflineController
from api.staff.results import ResultController
from api.staff.rooms import RoomController
from api.staff.safe_browser import SafeBrowserController
from api.staff.seat_acts import SeatActController
from api.staff.session import SessionController
from api.staff.sittings import SittingController
from api.staff.statements import StatementController

ROUTES: list[ControllerRouterHandler] = [
    asset,
    player_page,
    player_worker,
    health.live,
    health.ready,
    health.metrics,
    receipt_keys,
    receipt_keys_page,
    CandidateController,
    candidate_photo,
    SessionController,
    ExamController,
    AccommodationController,
    ItemController,
    FormController,
    SittingController,
    DutyController,
    SeatActController,
    OfflineController,
    StatementController,
    RoomController,
    SafeBrowserController,
    check_safe_browser,
    room_events,
    ResultController,
    IrtScoreController,
    CalibrationController,
    AdmissionController,
    PublicController,
    PublicPages,
    media,
    StaffSessionPages,
    ExamPages,
    AccommodationPages,
    ItemImportPages,
    ItemPages,
    FormPages,
    SittingPages,
    RoomPages,
    DutyPages,
    PostponingPages,
    SafeBrowserPages,
    PhotoPages,
    SittingCheckPages,
    OfflinePages,
    LateAnswerPages,
    StatementPages,
    ResultPages,
    CalibrationPages,
    AdmissionPages,
    MarkingPages,
    HousePages,
]
