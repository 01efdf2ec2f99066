"""Refusals of the admission room.

AdmissionError
├── UnknownProgramme       no programme has this code in this exam
├── UnknownAllocationRun   there is no such run
├── UnknownRuleFile        no intake rules have this name
├── RunNotReleasable       a run that was withdrawn or stands released cannot be released
├── NothingToAllocate      no programmes, or nobody with aspirations
├── MarksIncomplete        papers the intake rules count are nowhere in the exam
└── LookUpRefused          no released outcome for this number and code: one answer, whatever the cause

`InstanceInvalid` (the inputs of an allocation contradict themselves) stands in `allocation.errors`.
"""

from exam_engine.infra.errors import EngineError


class AdmissionError(EngineError):
    """Base of the refusals of this room."""
