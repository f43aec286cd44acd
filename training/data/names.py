"""Names that both sides of a sentence pair share, replaced by marks: the model learns to copy."""

import unicodedata
from collections.abc import Iterator

import numpy as np
import regex

from service.text.lexicon import Lexicon, capitalised_words, words_of
from service.text.standins import MARKS, mask_pair
from training.data.parallel import SentencePair

_UNKNOWN_RATE = 0.9
"""Names that the model does not know will be masked when it serves: here too, but for a few, so
that it also learns to spell."""

_MARK = regex.compile(r"\u27e8(\d)\u27e9", regex.ASCII)
_DEVANAGARI = regex.compile(r"\p{Devanagari}")
_CONSONANTS = str.maketrans(
    {
        **dict.fromkeys("कख", "k"),
        **dict.fromkeys("गघ", "g"),
        **dict.fromkeys("चछ", "c"),
        **dict.fromkeys("जझ", "j"),
        **dict.fromkeys("टठतथ", "t"),
        **dict.fromkeys("डढदध", "d"),
        **dict.fromkeys("नणञङं", "n"),
        **dict.fromkeys("पफ", "p"),
        **dict.fromkeys("बभ", "b"),
        **dict.fromkeys("सशष", "s"),
        "म": "m",
        "र": "r",
        "ल": "l",
        "व": "v",
        "ह": "h",
    }
)
_LATIN = str.maketrans({"q": "k", "x": "k", "z": "j", "f": "p", "w": "v"})
_NOT_CONSONANT = regex.compile(r"[^bcdgjklmnprstvh]")
_SHORTEST_SKELETON = 2


class NameMasker:
    """Masks what a model should copy, in pairs of training sentences of two languages.

    Marks are numbered at random, so that each of them is learnt.
    """

    def __init__(self, lexicon: Lexicon, languages: tuple[str, str], rate: float) -> None:
        self._lexicon, self._languages, self._rate = lexicon, languages, rate

    def mask(self, pair: SentencePair, rng: np.random.Generator) -> SentencePair:
        """Shared numbers, addresses and the like always, shared names by their rates."""
        source, target = mask_pair(pair.source, pair.target)
        free = [mark for mark in MARKS if mark not in source]
        for here, there in self._shared_names(source, target):
            if free and rng.random() < self._rate_of(here, there):
                mark = free.pop(0)
                source, target = _replace(source, here, mark), _replace(target, there, mark)
        return _renumbered(source, target, rng)

    def _shared_names(self, source: str, target: str) -> Iterator[tuple[str, str]]:
        """The name as the source has it, and as the target has it."""
        flipped = bool(_DEVANAGARI.search(source))
        latin, other = (target, source) if flipped else (source, target)
        others = words_of(other)
        for name in dict.fromkeys(capitalised_words(latin)):
            if any(self._lexicon.knows_lowercase(name, code) for code in self._languages):
                continue
            twin = next((word for word in others if _same_name(name, word)), None)
            if twin is not None:
                yield (twin, name) if flipped else (name, twin)

    def _rate_of(self, source: str, target: str) -> float:
        known = self._lexicon.knows(source, self._languages[0])
        return self._rate if known else max(self._rate, _UNKNOWN_RATE)


def _same_name(latin: str, word: str) -> bool:
    """The same letters, or in Devanagari the same consonants."""
    if not _DEVANAGARI.match(word):
        return latin == word
    lowered = latin.lower().replace("ch", "c").replace("ph", "p").replace("th", "t")
    lowered = lowered.replace("sh", "s").replace("kh", "k").replace("ck", "k")
    here = _skeleton(lowered.translate(_LATIN))
    return len(here) >= _SHORTEST_SKELETON and here == _skeleton(
        _decomposed(word).translate(_CONSONANTS)
    )


def _decomposed(word: str) -> str:
    """A letter with a dot below as the letter and the dot, which is no consonant."""
    return unicodedata.normalize("NFD", word)


def _skeleton(text: str) -> str:
    """Consonants, a doubled one once."""
    return regex.sub(r"(.)\1+", r"\1", _NOT_CONSONANT.sub("", text))


def _replace(text: str, word: str, mark: str) -> str:
    """All whole occurrences of `word`."""
    return regex.sub(rf"(?<![\p{{L}}\p{{M}}]){regex.escape(word)}(?![\p{{L}}\p{{M}}])", mark, text)


def _renumbered(source: str, target: str, rng: np.random.Generator) -> SentencePair:
    if MARKS[0][0] not in source:
        return SentencePair(source, target)
    order = rng.permutation(len(MARKS))

    def renumber(text: str) -> str:
        return _MARK.sub(lambda found: MARKS[order[int(found[1])]], text)

    return SentencePair(renumber(source), renumber(target))
