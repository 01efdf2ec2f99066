"""Tables of problems, one a part of the house; together they are the map from error class to problem.

A test walks all error classes and fails on one that is missing.
"""

from api.problem_tables import admission, assembly, bank, calibration, delivery, enrolment, ground, results
from api.problem_tables.problem import UNEXPECTED, Problem, ProblemTable

PROBLEMS: ProblemTable = {
    **ground.PROBLEMS,
    **enrolment.PROBLEMS,
    **admission.PROBLEMS,
    **assembly.PROBLEMS,
    **bank.PROBLEMS,
    **calibration.PROBLEMS,
    **delivery.PROBLEMS,
    **results.PROBLEMS,
}

__all__ = ["PROBLEMS", "UNEXPECTED", "Problem", "ProblemTable"]
