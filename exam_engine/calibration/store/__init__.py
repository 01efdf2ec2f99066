"""SQL of calibration: `runs` (runs and their items) and `responses` (what a run reads)."""
