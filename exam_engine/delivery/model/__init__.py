"""An attempt as a pure state machine: what may happen to it, and the facts Redis then compares.

    ready ──start──► running ──submit──► submitted
      │  ▲             │  ▲
      │  │             │  │ extend, admit: closed by time, and the new deadline lies ahead
      │  │             │  │ reopen: closed by people, and the sitting is open
      ▼  │ reopen      ▼  │
    closed(absent |  closed(time | sitting | invigilator | malpractice)
           malpractice | invigilator)

    beside the state:  clock runs ──pause──► stands ──resume──► runs     open ──lock──► locked ──unlock──► open
    beside the lease:  nobody waits ──start by another client──► claim ──admit──► it holds the lease
                                                                   └───refuse──► that browser is turned away

start(client)  at starts … late limit. On a running attempt it is the way back: the same client keeps the lease. Another
               one takes it over at once where the sitting says so, or on the same machine when the holder has been
               silent for 25 s (power cut, crashed browser). Else it claims: read only until the invigilator admits it.
deadline       = min(start + duration, end of the sitting) + extra time. `limit` = deadline + grace is what a save
               is compared with, by the moment it reached the server. While the clock stands nothing is too late.
extra time     accommodation + extensions + every stop of the clock after the start + silence credited at admission, to
               the millisecond; each act's id is credited once. A stop before the start moves the latest start and end.
accommodation  changes with the sitting open: what it grants replaces what it granted, never ending a paper by itself.
take back      extra time given by mistake, so much of it as leaves who writes a minute; once.
extend         in any state but submitted; extra time of a closed attempt reopens it if time closed it and the new
               deadline lies ahead.
lock           refuses answers (they are kept as evidence), time runs on.
submit         only when server and seat hold the same sequences of the seat's slots; else it names them.
closing        never removes an answer: what was acknowledged counts, submitted or not.
end of all     a sitting closes when its end is past and nobody is waited for any more (`waited_until_ms`); from that
               moment on its attempts are sealed, and no act reopens one.

Every change raises `revision`; Redis applies it only to the revision it was computed from, and PostgreSQL
keeps the highest. A save is kept only if the gate it was judged by (`Gate`) still stands. Times are milliseconds
of one clock, that of the API processes (kept by NTP, compared with Redis' own clock every second): a save is
judged by its arrival, so a slow Redis never eats a candidate's time.
"""

from exam_engine.delivery.model.acts import (
    LEAST_LEFT_MS,
    MAXIMUM_EXTRA_SECONDS,
    UNDOABLE,
    accommodate,
    admit,
    allow_again,
    close,
    extend,
    lock,
    lost_ms,
    may_count,
    pause,
    postpone,
    refuse_claim,
    reopen,
    resume,
    take_back,
    unlock,
)
from exam_engine.delivery.model.facts import (
    AttemptFacts,
    AttemptState,
    Change,
    ChangeKind,
    CloseReason,
    Gate,
    granted_ms,
    planned_facts,
    stop_spans,
    stopped_ms,
)
from exam_engine.delivery.model.merging import is_later, is_newer, newest
from exam_engine.delivery.model.recovery import LEASES_PER_SECOND, is_stored, is_whole, taken_back
from exam_engine.delivery.model.seats import (
    MAXIMUM_SEQUENCE,
    SILENT_MS,
    device_of,
    latest_start,
    recall,
    require_writable,
    start,
    submit,
    writable_until_ms,
)
from exam_engine.delivery.model.sittings import (
    MAXIMUM_POSTPONEMENT_SECONDS,
    AttemptId,
    AttemptSeat,
    SecondSeat,
    Sitting,
    SittingId,
    SittingSettings,
    SittingState,
    assign_paper_codes,
    shard_of,
)
from exam_engine.delivery.model.waiting import LONGEST_PAUSE_MS, is_waited_out, waited_until_ms

__all__ = [
    "LEASES_PER_SECOND",
    "LEAST_LEFT_MS",
    "LONGEST_PAUSE_MS",
    "MAXIMUM_EXTRA_SECONDS",
    "MAXIMUM_POSTPONEMENT_SECONDS",
    "MAXIMUM_SEQUENCE",
    "SILENT_MS",
    "UNDOABLE",
    "AttemptFacts",
    "AttemptId",
    "AttemptSeat",
    "AttemptState",
    "Change",
    "ChangeKind",
    "CloseReason",
    "Gate",
    "SecondSeat",
    "Sitting",
    "SittingId",
    "SittingSettings",
    "SittingState",
    "accommodate",
    "admit",
    "allow_again",
    "assign_paper_codes",
    "close",
    "device_of",
    "extend",
    "granted_ms",
    "is_later",
    "is_newer",
    "is_stored",
    "is_waited_out",
    "is_whole",
    "latest_start",
    "lock",
    "lost_ms",
    "may_count",
    "newest",
    "pause",
    "planned_facts",
    "postpone",
    "recall",
    "refuse_claim",
    "reopen",
    "require_writable",
    "resume",
    "shard_of",
    "start",
    "stop_spans",
    "stopped_ms",
    "submit",
    "take_back",
    "taken_back",
    "unlock",
    "waited_until_ms",
    "writable_until_ms",
]
