"""A character n-gram model of words: how much a string looks like one."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Self

_BEGIN, _END = "^", "$"
_CHARACTERS = 100
"""Of the uniform distribution below the unigrams: about as many as one script has."""


class CharacterNgrams:
    """Log-probabilities of words, interpolated by Witten and Bell (1991).

    An n-gram's estimate is mixed with that of the shorter one as 1 : (kinds of characters that
    followed the context) / (times that it was followed).
    """

    def __init__(self, counts: Mapping[str, int], *, order: int) -> None:
        self.counts, self.order = dict(counts), order
        self._followed: dict[str, int] = {}
        self._kinds: dict[str, int] = {}
        # Hundreds of thousands at each start: a Counter takes three times as long.
        followed, kinds = self._followed, self._kinds
        for gram, count in counts.items():
            context = gram[:-1]
            followed[context] = followed.get(context, 0) + count
            kinds[context] = kinds.get(context, 0) + 1

    @classmethod
    def count(cls, words: Iterable[str], *, order: int, least: int) -> Self:
        """N-grams of distinct words; those of the full order if they occur `least` times."""
        counts: Counter[str] = Counter()
        for word in dict.fromkeys(words):
            text = f"{_BEGIN}{word}{_END}"
            for end in range(2, len(text) + 1):
                counts.update(text[start:end] for start in range(max(0, end - order), end))
        kept = {gram: n for gram, n in counts.items() if n >= least or len(gram) < order}
        return cls(kept, order=order)

    def log_probability(self, word: str) -> float:
        """Natural logarithm, the end of the word included."""
        text = f"{_BEGIN}{word}{_END}"
        return sum(math.log(self._probability(text, place)) for place in range(1, len(text)))

    def _probability(self, text: str, place: int) -> float:
        """Of the character at `place` after those before it."""
        value = 1 / _CHARACTERS
        for start in range(place, max(-1, place - self.order), -1):
            context = text[start:place]
            followed, kinds = self._followed.get(context, 0), self._kinds.get(context, 0)
            if not followed:
                break
            seen = self.counts.get(context + text[place], 0)
            value = (seen + kinds * value) / (followed + kinds)
        return value
