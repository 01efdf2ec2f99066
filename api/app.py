"""The application: routes, session, CSRF, error answers and headers, put together by one factory."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from litestar import Litestar
from litestar.config.csrf import CSRFConfig
from litestar.plugins.htmx import HTMXPlugin
from litestar.stores.redis import RedisStore

from api.document import DocumentPlugin, document
from api.headers import set_security_headers
from api.metrics import REQUEST_METRICS
from api.pages.templating import template_config
from api.pages.uploads import STORE as UPLOADS
from api.problems import problem_response
from api.routes import ROUTES
from api.sessions import StaffSessionConfig
from api.stopping import on_stop
from api.views.board import RENDERING
from exam_engine.delivery import service as sittings
from exam_engine.delivery.hot_path import open_delivery
from exam_engine.delivery.signing import SigningKey
from exam_engine.infra.database import reaching_database, transaction
from exam_engine.infra.errors import ServiceUnavailable
from exam_engine.infra.rates import FailureCounts
from exam_engine.infra.redis_client import create_redis
from exam_engine.infra.secrets import derive_key, load_master_secret
from exam_engine.infra.settings import Settings, load_settings
from exam_engine.infra.telemetry import set_up_logging
from exam_engine.invigilation.hub import Hub
from exam_engine.results.look_up import ResultDesk
from exam_engine.wiring import Engine, open_engine

logger = structlog.get_logger(__name__)

SESSION_SECONDS = 8 * 3600
MAXIMUM_BODY_BYTES = 20 * 1024 * 1024

# Signed by a bearer token or by the card's secret in the body: no cookie stands behind these, so no CSRF either.
WITHOUT_CSRF = [
    *("^/api/candidate", "^/api/attempts", "^/api/(forms|papers)/"),
    "^/api/(results|admission)/look-up",
]


def create_app(settings: Settings | None = None) -> Litestar:
    """Build the framework's application; `api.hot` puts the hot routes before it."""
    settings = settings or load_settings(os.environ)
    set_up_logging(settings)
    master = load_master_secret(settings)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            engine = await stack.enter_async_context(open_engine(settings))
            app.state.engine = engine
            app.state.failures = FailureCounts(engine.redis)
            app.state.results = ResultDesk(engine.sessions, engine.master_secret, engine.clock)
            app.state.delivery = await stack.enter_async_context(
                open_delivery(
                    clock=engine.clock,
                    sessions=engine.sessions,
                    redis=engine.redis,
                    master_secret=engine.master_secret,
                )
            )
            await _note_key(engine)
            app.state.hub = hub = Hub(app.state.delivery, engine.sessions, RENDERING)
            stack.push_async_callback(hub.close)
            stack.enter_context(on_stop(hub.release))
            yield

    return Litestar(
        route_handlers=ROUTES,
        lifespan=[lifespan],
        exception_handlers={Exception: problem_response},
        csrf_config=CSRFConfig(
            secret=derive_key(master, "csrf").hex(),
            cookie_secure=settings.secure_cookies,
            cookie_samesite="lax",
            exclude=WITHOUT_CSRF,
        ),
        middleware=[
            StaffSessionConfig(
                max_age=SESSION_SECONDS,
                renew_on_access=True,
                secure=settings.secure_cookies,
                samesite="lax",
                exclude=[*WITHOUT_CSRF, "^/static/", "^/media/", "^/health/", "^/metrics"],
            ).middleware,
            REQUEST_METRICS.middleware,
        ],
        stores={
            "sessions": RedisStore(create_redis(settings), namespace="session"),
            UPLOADS: RedisStore(create_redis(settings), namespace="upload"),
        },
        plugins=[HTMXPlugin(), DocumentPlugin()],
        template_config=template_config(settings),
        openapi_config=document(),
        before_send=[set_security_headers],
        request_max_body_size=MAXIMUM_BODY_BYTES,
        logging_config=None,
    )


async def _note_key(engine: Engine) -> None:
    """Note the key that signs receipts from now on; without PostgreSQL the next look at the keys notes it."""
    try:
        with reaching_database():
            async with transaction(engine.sessions) as session:
                await sittings.note_key(session, SigningKey(engine.master_secret), engine.clock())
    except ServiceUnavailable:
        logger.warning("receipt_key_not_noted")
