"""Where the servers are: as set by the environment, else as the running supervisor of the data folder wrote down."""

import msgspec

from exam_engine.infra.embedded import processes
from exam_engine.infra.embedded.running import read_running
from exam_engine.infra.errors import EmbeddedServerError
from exam_engine.infra.settings import Secret, Settings


def locate(settings: Settings) -> Settings:
    """Return the settings with both addresses filled in.

    Raises
    ------
    EmbeddedServerError
        An address is not set and nothing runs on the data folder.
    """
    if settings.database_url is not None and settings.redis_url is not None:
        return settings
    running = read_running(settings.data_folder)
    if running is None or not processes.is_alive(running.supervisor):
        raise EmbeddedServerError(
            f"nothing runs on the data folder {settings.data_folder}; start it with exam-engine up (or make demo), "
            "or set EXAM_DATABASE_URL and EXAM_REDIS_URL"
        )
    database_url = settings.database_url or (Secret(running.database_url) if running.database_url else None)
    redis_url = settings.redis_url or (Secret(running.redis_url) if running.redis_url else None)
    if database_url is None or redis_url is None:
        missing = "EXAM_DATABASE_URL" if database_url is None else "EXAM_REDIS_URL"
        raise EmbeddedServerError(
            f"the running engine uses a server of its own choice: set {missing} here as you set it there"
        )
    return msgspec.structs.replace(settings, database_url=database_url, redis_url=redis_url)
