"""Human marks on essays, by rubric."""
