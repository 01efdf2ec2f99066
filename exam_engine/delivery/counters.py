"""What an operator would ask of delivery, counted for Prometheus; never a response, a name or a number."""

from prometheus_client import Counter, Gauge, Histogram

SAVED = Counter("exam_responses_acknowledged", "Answers acknowledged to seats")
REFUSED = Counter("exam_requests_refused", "Saves, starts and submissions refused", ["reason"])
STARTED = Counter("exam_attempts_started", "Attempts started, resumed or taken over", ["kind"])
SUBMITTED = Counter("exam_attempts_submitted", "Attempts handed in")
CLOSED = Counter("exam_attempts_closed", "Attempts closed without being handed in", ["reason"])
RESTORED = Counter("exam_attempts_restored", "Attempts taken back from PostgreSQL into a Redis that did not know them")
SAVE_BATCH = Histogram("exam_save_batch_size", "Saves in one script call", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 200))
STORED_ROWS = Counter("exam_write_behind_rows", "Rows written from streams to PostgreSQL", ["table"])
STORED_BATCH = Histogram(
    "exam_write_behind_batch_size", "Stream entries in one transaction", buckets=(1, 10, 50, 100, 250, 500, 1000)
)
STORE_LAG = Histogram(
    "exam_write_behind_lag_seconds",
    "From the arrival of a change to its commit in PostgreSQL, oldest of each batch",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 60),
)
STORE_WAITING = Gauge("exam_write_behind_waiting", "Stream entries not yet in PostgreSQL", multiprocess_mode="livemax")
REJECTED = Counter("exam_write_behind_rejected", "Stream entries PostgreSQL would not take, kept in stream_reject")
CLOCK_OFFSET = Gauge(
    "exam_clock_offset_seconds",
    "Redis' clock less ours; above 0.25 an alarm is due",
    multiprocess_mode="livemostrecent",
)
