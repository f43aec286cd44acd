"""Spellings of a word that sound alike: the characters they are written in, and which is a word."""

import json
import lzma
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from service.text.alphabet import Alphabet
from service.text.ngrams import CharacterNgrams


class Scored(NamedTuple):
    """A spelling as ids of the alphabet, with the model's log-probability of it."""

    ids: Sequence[int]
    score: float


class Weights(NamedTuple):
    """What counts beside the model's log-probability of a spelling, chosen on development words."""

    frequency: float
    """Factor of the log-probability of a word in the list."""
    listed: float
    """Bonus of such a word."""
    ngrams: float
    """Factor of the log-probability of the characters of any other."""
    length: float
    """Bonus of each character: products of probabilities favour short words."""


class Spellings:
    """An alphabet, the frequencies of words, and the n-grams of their characters.

    A model of a few thousand words cannot know which of its likely spellings is a word; lists of
    words without pairs do. They are weighed as a channel and a source (Brill & Moore, ACL 2000).
    """

    def __init__(
        self,
        alphabet: Alphabet,
        words: Mapping[str, int],
        ngrams: CharacterNgrams,
        weights: Weights,
    ) -> None:
        """`words` with how often they occur, in occurrences per ten million."""
        self.alphabet, self.words, self._ngrams = alphabet, dict(words), ngrams
        self._weights = weights
        self._total = math.log(max(1, sum(words.values())))

    @classmethod
    def load(cls, path: Path, weights: Weights) -> Self:
        layout = json.loads(lzma.decompress(path.read_bytes()))
        counts = dict(zip(layout["ngrams"], layout["counts"], strict=True))
        ngrams = CharacterNgrams(counts, order=layout["order"])
        return cls(Alphabet(layout["characters"]), layout["words"], ngrams, weights)

    def save(self, path: Path) -> None:
        """JSON in xz: the n-grams are many and alike. The same content gives the same bytes."""
        grams = dict(sorted(self._ngrams.counts.items()))
        layout = {
            "characters": self.alphabet.symbols,
            "words": dict(sorted(self.words.items())),
            "order": self._ngrams.order,
            "ngrams": list(grams),
            "counts": list(grams.values()),
        }
        path.write_bytes(lzma.compress(json.dumps(layout, ensure_ascii=False).encode()))

    def rank(self, found: Iterable[Scored]) -> list[str]:
        """Distinct spellings, likeliest first; an empty one is none."""
        scores: dict[str, float] = {}
        for spelling in found:
            word = self.alphabet.text(spelling.ids)
            if word:
                scores.setdefault(word, spelling.score + self._source(word))
        return sorted(scores, key=lambda word: scores[word], reverse=True)

    def _source(self, word: str) -> float:
        weights, count = self._weights, self.words.get(word)
        if count:
            known = weights.frequency * (math.log(count) - self._total) + weights.listed
        else:
            known = weights.ngrams * self._ngrams.log_probability(word)
        return known + weights.length * len(word)
