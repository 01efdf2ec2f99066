"""Exams, subjects, candidates, marks from files, rooms and seats."""
