"""Items, interactions, content, stimuli, taxonomy and review states."""
