"""Spellings of a word that sound alike: the characters they are written in, and which is a word."""

import json
import lzma
from collections.abc import Iterable, Sequence
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

    ngrams: float
    """Factor of the log-probability of its characters."""
    listed: float
    """Bonus of a word in the list."""
    length: float
    """Bonus of each character: products of probabilities favour short words."""


class Spellings:
    """An alphabet, a list of words, and the n-grams of their characters.

    A model of a few thousand words cannot know which of its likely spellings is a word; lists of
    words without pairs do. They are weighed as a channel and a source (Brill & Moore, ACL 2000).
    """

    def __init__(
        self, alphabet: Alphabet, words: Iterable[str], ngrams: CharacterNgrams, weights: Weights
    ) -> None:
        self.alphabet, self.words, self._ngrams = alphabet, frozenset(words), ngrams
        self._weights = weights

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
            "words": sorted(self.words),
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
        weights = self._weights
        listed = weights.listed if word in self.words else 0.0
        return (
            weights.ngrams * self._ngrams.log_probability(word)
            + weights.length * len(word)
            + listed
        )
