"""Items and their versions, stimuli, media; the bank as authors and reviewers see it."""
