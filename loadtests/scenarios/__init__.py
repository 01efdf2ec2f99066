"""The scenarios by name, in the order of an exam day."""

from collections.abc import Awaitable, Callable, Mapping

from loadtests.scenarios import login_rush, reconnect_storm, results_day, steady_saving, submission_rush
from loadtests.stage import Stage

SCENARIOS: Mapping[str, Callable[[Stage], Awaitable[list[str]]]] = {
    "login_rush": login_rush.run,
    "steady_saving": steady_saving.run,
    "reconnect_storm": reconnect_storm.run,
    "submission_rush": submission_rush.run,
    "results_day": results_day.run,
}
"""Each returns what must not be: gaps between what was acknowledged and what is stored."""
