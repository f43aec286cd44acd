"""Which sentence pairs an epoch of translation training sees."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.config import Corpus, Pair, TranslationExperiment
from training.data.parallel import SentencePair, read_pairs


class DirectedPairs(NamedTuple):
    """All training pairs of one direction, as (source, target) of `languages`."""

    languages: tuple[str, str]
    rows: list[SentencePair]


def training_pairs(pair: Pair, languages: tuple[str, str]) -> list[SentencePair]:
    """All training rows of `pair` once, in the order of `languages`."""
    return [row for corpus in pair.corpora for row in _rows(corpus, languages)]


def ways(pair: Pair) -> list[tuple[str, str]]:
    """The directions in which `pair` is trained."""
    first, second = pair.languages
    return [(first, second), (second, first)] if pair.both_ways else [(first, second)]


def directed_pairs(experiment: TranslationExperiment) -> list[DirectedPairs]:
    """The training pairs of every direction."""
    return [
        DirectedPairs(languages, _heard(pair, languages))
        for pair in experiment.pairs
        for languages in ways(pair)
    ]


def _heard(pair: Pair, languages: tuple[str, str]) -> list[SentencePair]:
    """The rows of `pair`, as often as their corpora are to be heard."""
    return [row for corpus in pair.corpora for row in _rows(corpus, languages) * corpus.repeat]


def _rows(corpus: Corpus, languages: tuple[str, str]) -> list[SentencePair]:
    return [row for split in corpus.splits for row in read_pairs(corpus.name, split, languages)]


def shares(sizes: list[int], temperature: float) -> NDArray[np.float64]:
    """Share of each direction in an epoch: sizes^(1/temperature), to a sum of one."""
    weights = np.asarray(sizes, np.float64) ** (1 / temperature)
    found: NDArray[np.float64] = weights / weights.sum()
    return found


def draw(available: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """`count` row numbers: whole permutations first, then a part of one."""
    rounds = [rng.permutation(available) for _ in range(-(-count // available))]
    return np.concatenate(rounds)[:count] if rounds else np.zeros(0, np.int64)
