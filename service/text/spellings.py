"""Spellings of a word that sound alike: the characters they are written in, and which is usual."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from service.text.alphabet import Alphabet


class Scored(NamedTuple):
    """A spelling as ids of the alphabet, with the model's log-probability of it."""

    ids: Sequence[int]
    score: float


class Spellings:
    """An alphabet and the frequencies of words.

    A model of a few thousand words cannot know which of its likely spellings is a word; a list of
    frequent ones does. The two are weighed as a channel and a source (Brill & Moore, ACL 2000).
    """

    def __init__(
        self, alphabet: Alphabet, counts: Mapping[str, int], *, weight: float, unlisted: float
    ) -> None:
        self.alphabet, self.counts = alphabet, dict(counts)
        self._weight, self._unlisted = weight, unlisted
        total = math.log(sum(counts.values()) or 1)
        self._logs = {word: math.log(count) - total for word, count in counts.items()}

    @classmethod
    def load(cls, path: Path, *, weight: float, unlisted: float) -> Self:
        """`weight` of a word's log-probability; `unlisted` is that of a word without a count."""
        layout = json.loads(path.read_text(encoding="utf-8"))
        alphabet = Alphabet(layout["characters"])
        return cls(alphabet, layout["counts"], weight=weight, unlisted=unlisted)

    def save(self, path: Path) -> None:
        layout = {"characters": self.alphabet.symbols, "counts": self.counts}
        path.write_text(json.dumps(layout, ensure_ascii=False), encoding="utf-8")

    def rank(self, found: Iterable[Scored]) -> list[str]:
        """Distinct spellings, likeliest first; an empty one is none."""
        scores: dict[str, float] = {}
        for spelling in found:
            word = self.alphabet.text(spelling.ids)
            if not word:
                continue
            source = self._logs.get(word, self._unlisted)
            scores.setdefault(word, spelling.score + self._weight * source)
        return sorted(scores, key=lambda word: scores[word], reverse=True)
