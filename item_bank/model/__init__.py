"""Items, interactions, content, stimuli, taxonomy, review states and response values."""
