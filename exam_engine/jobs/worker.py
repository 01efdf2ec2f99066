"""The process that runs background jobs: takes them from PostgreSQL, retries failures, puts stalled ones back.

A job of a killed worker stays marked as running for ever unless somebody looks: `requeue_stalled` does, each minute.
"""

from collections.abc import Mapping
from typing import Any

from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy

from exam_engine.infra.embedded.dumps import conninfo
from exam_engine.infra.settings import Settings
from exam_engine.infra.telemetry import logger
from exam_engine.jobs.tasks import TASKS, Task
from exam_engine.wiring import open_engine

STALLED_SECONDS = 60
KEPT_HOURS = 24 * 30
CONCURRENCY = 4
RETRIES = RetryStrategy(max_attempts=6, exponential_wait=4)


def create_job_app(settings: Settings, tasks: Mapping[str, Task] = TASKS) -> App:
    """Build the queue's application over the tasks given; it connects when it is opened."""
    app = App(connector=PsycopgConnector(conninfo=conninfo(settings), min_size=1, max_size=CONCURRENCY + 2))
    for name, task in tasks.items():
        app.task(name=name, pass_context=True, retry=RETRIES)(_adapt(task))

    @app.periodic(cron="* * * * *")
    @app.task(name="jobs.requeue_stalled", queueing_lock="jobs.requeue_stalled", pass_context=True)
    async def _requeue_stalled(context: JobContext, timestamp: int) -> None:
        del timestamp
        await requeue_stalled(context.app)

    @app.periodic(cron="17 3 * * *")
    @app.task(name="jobs.forget_old", queueing_lock="jobs.forget_old", pass_context=True)
    async def _forget_old(context: JobContext, timestamp: int) -> None:
        del timestamp
        await context.app.job_manager.delete_old_jobs(nb_hours=KEPT_HOURS)

    return app


async def requeue_stalled(app: App, stalled_seconds: float = STALLED_SECONDS) -> int:
    """Put jobs back whose worker has not been heard of for a while; return how many."""
    jobs = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=stalled_seconds))
    for job in jobs:
        await app.job_manager.retry_job(job)
        logger.warning("job_requeued", job=job.id, task=job.task_name)
    return len(jobs)


async def run(settings: Settings, tasks: Mapping[str, Task] = TASKS) -> None:
    """Run jobs until cancelled; those that run then get a few seconds to end."""
    async with open_engine(settings) as engine, create_job_app(engine.settings, tasks).open_async() as app:
        await app.run_worker_async(
            name="jobs",
            concurrency=CONCURRENCY,
            install_signal_handlers=False,
            shutdown_graceful_timeout=5,
            additional_context={"engine": engine},
        )


def _adapt(task: Task) -> Any:
    async def perform(context: JobContext, **arguments: Any) -> None:
        await task(context.additional_context["engine"], arguments)

    return perform
