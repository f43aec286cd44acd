"""Source sentences as people type them: in lower case, without the mark at the end, mistyped."""

import numpy as np

from training.config import Noise

_END_MARKS = ".!?\u0964"
_SHORTEST_TYPO = 8


def with_noise(text: str, noise: Noise, rng: np.random.Generator) -> str:
    """`text`, or a noisy form of it; what a mark stands for is never touched."""
    lower, open_end, typo = rng.random(3)
    if lower < noise.lowercase:
        text = text.lower()
    if open_end < noise.unpunctuated:
        text = text.rstrip(_END_MARKS).rstrip() or text
    return _mistyped(text, rng) if typo < noise.typo else text


def _mistyped(text: str, rng: np.random.Generator) -> str:
    """One letter dropped, doubled, or swapped with the next."""
    if len(text) < _SHORTEST_TYPO:
        return text
    place = int(rng.integers(1, len(text) - 2))
    here, after = text[place], text[place + 1]
    if not (here.isalpha() and after.isalpha()):
        return text
    changed = [after, here * 2 + after, after + here][int(rng.integers(3))]
    return text[:place] + changed + text[place + 2 :]
