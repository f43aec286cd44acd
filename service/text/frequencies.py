"""How often words are used: what decides between spellings that sound alike."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Self


class WordFrequencies:
    """Log-probabilities of words, weighted for use beside a model's own.

    A word that is not listed has the probability `unlisted`, as if it were a rare one.
    """

    def __init__(self, counts: Mapping[str, int], *, weight: float, unlisted: float) -> None:
        self.counts, self.weight, self.unlisted = dict(counts), weight, unlisted
        total = math.log(sum(counts.values()) or 1)
        self._logs = {word: math.log(count) - total for word, count in counts.items()}

    @classmethod
    def load(cls, path: Path) -> Self:
        layout = json.loads(path.read_text(encoding="utf-8"))
        return cls(layout["counts"], weight=layout["weight"], unlisted=layout["unlisted"])

    def save(self, path: Path) -> None:
        layout = {"weight": self.weight, "unlisted": self.unlisted, "counts": self.counts}
        path.write_text(json.dumps(layout, ensure_ascii=False), encoding="utf-8")

    def score(self, word: str) -> float:
        """`weight` times the natural logarithm of the word's probability."""
        return self.weight * self._logs.get(word, self.unlisted)
