"""Random sources: fresh seeds for things that are then stored, and generators made from stored seeds."""

import secrets

import numpy as np


def fresh_seed() -> int:
    """A new 63-bit seed from the system's entropy; store it, so that the outcome can be rebuilt."""
    return secrets.randbits(63)


def generator(*seed_parts: int) -> np.random.Generator:
    """Return the generator that belongs to a stored seed and the numbers that separate its uses."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(list(seed_parts))))
