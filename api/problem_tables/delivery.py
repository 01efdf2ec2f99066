"""Problems of delivery: what a seat, or who runs a sitting, can be refused."""

from http import HTTPStatus

from api.problem_tables.problem import Problem, ProblemTable
from exam_engine.delivery import errors as delivery
from exam_engine.infra.i18n import N_
from exam_engine.invigilation import errors as invigilation

PROBLEMS: ProblemTable = {
    delivery.TokenRefused: Problem("sign-in-needed", HTTPStatus.UNAUTHORIZED, N_("Please sign in first")),
    delivery.TokenInvalid: Problem("sign-in-needed", HTTPStatus.UNAUTHORIZED, N_("Please sign in first")),
    delivery.TokenExpired: Problem(
        "sign-in-expired",
        HTTPStatus.UNAUTHORIZED,
        N_("The sign-in has expired"),
        N_("Please sign in again with the card. What was typed is kept on this machine."),
    ),
    delivery.NotYours: Problem("not-yours", HTTPStatus.FORBIDDEN, N_("This paper belongs to another candidate")),
    delivery.AttemptUnknown: Problem("attempt-unknown", HTTPStatus.NOT_FOUND, N_("There is no such paper")),
    delivery.SittingNotStarted: Problem(
        "sitting-not-started",
        HTTPStatus.CONFLICT,
        N_("The exam has not started yet"),
        N_("Please wait. The page starts by itself."),
    ),
    delivery.LateStart: Problem(
        "late-start",
        HTTPStatus.CONFLICT,
        N_("It is too late to start"),
        N_("The latest moment to start has passed. Please call the invigilator."),
    ),
    delivery.NotStarted: Problem("not-started", HTTPStatus.CONFLICT, N_("This paper has not been started")),
    delivery.AttemptClosed: Problem(
        "attempt-closed",
        HTTPStatus.CONFLICT,
        N_("This paper is closed"),
        N_("It takes no more answers. All that was saved counts."),
    ),
    delivery.TimeOver: Problem(
        "time-over",
        HTTPStatus.CONFLICT,
        N_("The time is over"),
        N_("All that was saved before the deadline counts."),
    ),
    delivery.LeaseTaken: Problem(
        "lease-taken",
        HTTPStatus.CONFLICT,
        N_("This paper is open at another seat"),
        N_("Only one seat writes at a time. If this is a mistake, please call the invigilator."),
    ),
    delivery.AttemptLocked: Problem(
        "attempt-locked",
        HTTPStatus.CONFLICT,
        N_("This seat is locked"),
        N_("It takes no answers until the invigilator unlocks it. What was typed is kept on this machine."),
    ),
    delivery.ActImpossible: Problem(
        "act-impossible",
        HTTPStatus.CONFLICT,
        N_("This does not fit where the paper stands"),
        N_("The paper is in the state “{state}” {reason}; “{act}” is not possible."),
    ),
    delivery.SomebodyStarted: Problem(
        "somebody-started",
        HTTPStatus.CONFLICT,
        N_("Somebody there has started already"),
        N_("A start is moved only where nobody has begun. Who writes already is given extra time on the room's board."),
    ),
    delivery.ResponsesMissing: Problem(
        "responses-missing",
        HTTPStatus.CONFLICT,
        N_("Some answers have not reached the server yet"),
        N_("The page sends them again and then hands the paper in."),
    ),
    delivery.ResponsesNewer: Problem(
        "responses-newer",
        HTTPStatus.CONFLICT,
        N_("The server has newer answers than this page"),
        N_("The page takes them over and then hands the paper in."),
    ),
    delivery.UnknownSlot: Problem(
        "unknown-slot",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("This paper has no such question"),
        N_("There is no slot {slot} in this paper; nothing was saved."),
    ),
    delivery.ResponseInvalid: Problem(
        "response-invalid",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("This is not a possible answer"),
        N_("Slot {slot}: {reason}. Nothing was saved."),
    ),
    delivery.SittingUnknown: Problem("sitting-unknown", HTTPStatus.NOT_FOUND, N_("There is no such sitting")),
    delivery.SittingPlanInvalid: Problem(
        "sitting-plan-invalid",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The plan of the sitting contradicts itself"),
        N_("{field}: {reason}."),
    ),
    delivery.SittingStateWrong: Problem(
        "sitting-state",
        HTTPStatus.CONFLICT,
        N_("The sitting is not in the state this needs"),
        N_("Sitting {code} is {state}; this needs {needed}."),
    ),
    delivery.SittingSealed: Problem(
        "sitting-sealed",
        HTTPStatus.CONFLICT,
        N_("The sitting is being closed"),
        N_("Its end has passed and nobody has time left; nothing in it changes any more."),
    ),
    delivery.StartProofInvalid: Problem(
        "start-proof-invalid",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The start without a network is not proved"),
        N_("This paper starts by the network, or the invigilator helps."),
    ),
    delivery.SealedPaperUnknown: Problem(
        "sealed-paper-unknown", HTTPStatus.NOT_FOUND, N_("There is no such paper to fetch")
    ),
    delivery.CodeNotReleased: Problem(
        "code-not-released",
        HTTPStatus.CONFLICT,
        N_("The release code is not told before the start"),
        N_("Sitting {code} starts at {starts_at}."),
    ),
    delivery.HandOverInvalid: Problem(
        "hand-over-invalid",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("This hand-over file cannot be taken"),
        N_("{reason}. Nothing was changed."),
    ),
    invigilation.RoomUnknown: Problem(
        "sitting-room-unknown",
        HTTPStatus.NOT_FOUND,
        N_("This sitting has no such room"),
    ),
    invigilation.SeatElsewhere: Problem(
        "seat-elsewhere",
        HTTPStatus.NOT_FOUND,
        N_("This candidate does not sit in this room"),
    ),
    invigilation.PhotoMissing: Problem(
        "photo-missing", HTTPStatus.NOT_FOUND, N_("No photo of this candidate was imported")
    ),
    invigilation.DutyRefused: Problem(
        "duty-refused",
        HTTPStatus.CONFLICT,
        N_("This person does not invigilate"),
        N_("{name} has no role by which people invigilate; an administrator grants one."),
    ),
    invigilation.DutyUnknown: Problem(
        "duty-unknown", HTTPStatus.NOT_FOUND, N_("There is no such duty (any more)"), N_("{name}, room {room}")
    ),
    invigilation.IncidentUnknown: Problem("incident-unknown", HTTPStatus.NOT_FOUND, N_("There is no such incident")),
    invigilation.IncidentInvalid: Problem(
        "incident-invalid",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The incident report contradicts itself"),
        N_("{field}: {reason}."),
    ),
    invigilation.IncidentWithdrawn: Problem(
        "incident-withdrawn",
        HTTPStatus.CONFLICT,
        N_("This incident was withdrawn before"),
    ),
    invigilation.SafeBrowserMissing: Problem(
        "safe-browser-missing",
        HTTPStatus.NOT_FOUND,
        N_("This sitting has no Safe Exam Browser settings"),
    ),
    delivery.ReceiptNotYet: Problem(
        "receipt-not-yet",
        HTTPStatus.CONFLICT,
        N_("There is no receipt for this paper"),
        N_("Only a paper that was started and has ended has a receipt."),
    ),
    delivery.ReceiptError: Problem(
        "receipt-refused", HTTPStatus.UNPROCESSABLE_ENTITY, N_("This receipt does not hold")
    ),
    delivery.ActUnknown: Problem("act-unknown", HTTPStatus.NOT_FOUND, N_("Nothing was done here under this number")),
    delivery.RequestReused: Problem(
        "request-reused",
        HTTPStatus.CONFLICT,
        N_("This request id was used before, for something else"),
        N_("“{request}” was used for “{act}”; give every act an id of its own."),
    ),
    delivery.ActNotUndoable: Problem(
        "act-not-undoable",
        HTTPStatus.CONFLICT,
        N_("This cannot be undone"),
        N_("“{act}” cannot be taken back, or was taken back already."),
    ),
    delivery.ActUndoneTooLate: Problem(
        "act-undone-too-late",
        HTTPStatus.CONFLICT,
        N_("It is too late to undo this"),
        N_("“{act}” can be taken back within {minutes} minutes."),
    ),
    delivery.StartPassed: Problem(
        "start-passed",
        HTTPStatus.CONFLICT,
        N_("The earlier start has passed"),
        N_("Nobody could be told in time, so the later start stays. Extra time is given on the room's board."),
    ),
    delivery.PlanChanged: Problem(
        "plan-changed",
        HTTPStatus.CONFLICT,
        N_("The start was changed meanwhile"),
        N_("Sitting {code} no longer begins when you looked. Nothing was done; look at the new times first."),
    ),
    delivery.SeatTaken: Problem(
        "seat-taken",
        HTTPStatus.CONFLICT,
        N_("This seat is not free"),
        N_("Seat {seat} of room {room} is taken, or there is no such seat. Please choose another one."),
    ),
    delivery.LateAnswersUnknown: Problem(
        "late-answers-unknown",
        HTTPStatus.CONFLICT,
        N_("There are no late answers that could count"),
        N_("None were refused, or no extra time covers the moment they came in."),
    ),
    delivery.SamePersonTwice: Problem(
        "same-person-twice",
        HTTPStatus.CONFLICT,
        N_("A second person must agree"),
        N_("Late answers count only when somebody else than the person who proposed it agrees."),
    ),
    delivery.NotStored: Problem(
        "not-stored",
        HTTPStatus.CONFLICT,
        N_("Not every answer has reached the database yet"),
        N_("Sitting {code}: at least {waiting} changes are on their way and safe. Please try again in a moment."),
    ),
}
