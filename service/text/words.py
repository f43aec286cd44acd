"""Words and their characters, with offsets: what the entity model reads."""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import regex
from numpy.typing import NDArray

LONGEST_WORD = 20
"""Characters of a word that the model sees; a longer one keeps its start and its end."""

_KEPT_START = 12
_REMEMBERED = 16_384
_WORD = regex.compile(r"(?:\p{L}\.){2,}|[\p{L}\p{M}]+|\p{N}+|\S")
_PAD_ID, _UNKNOWN_ID = 0, 1


class Word(NamedTuple):
    """A word, and where it stands in the caller's string: `text[start:end]`."""

    text: str
    start: int
    end: int


def split_words(text: str) -> list[Word]:
    """Runs of letters or of digits, dotted abbreviations (U.S.), single other marks."""
    return [Word(found.group(), *found.span()) for found in _WORD.finditer(text)]


def word_form(word: str) -> str:
    """The form that is looked up. Digits stay: 1990 is a year, 1000 is not."""
    return word.lower()


class WordVocabulary:
    """Ids of word forms and of characters; 0 is padding, 1 is unknown."""

    def __init__(self, words: Sequence[str], chars: Sequence[str]) -> None:
        self.words, self.chars = list(words), list(chars)
        self._word_ids = {word: i for i, word in enumerate(self.words, start=2)}
        self._char_ids = {char: i for i, char in enumerate(self.chars, start=2)}
        # Few words make most of any text: of each the characters are looked up once.
        self._spelling = lru_cache(_REMEMBERED)(self._spell)

    @classmethod
    def load(cls, path: Path) -> Self:
        layout = json.loads(path.read_text(encoding="utf-8"))
        return cls(layout["words"], layout["chars"])

    def save(self, path: Path) -> None:
        layout = {"words": self.words, "chars": self.chars}
        path.write_text(json.dumps(layout, ensure_ascii=False), encoding="utf-8")

    @property
    def word_count(self) -> int:
        return len(self.words) + 2

    @property
    def char_count(self) -> int:
        return len(self.chars) + 2

    def word_ids(self, words: Iterable[str]) -> NDArray[np.int64]:
        """(words,)"""
        ids = [self._word_ids.get(word_form(word), _UNKNOWN_ID) for word in words]
        return np.array(ids, np.int64)

    def char_ids(self, words: Sequence[str]) -> NDArray[np.int64]:
        """(words, LONGEST_WORD), padded with zeros."""
        spelt = bytearray().join(map(self._spelling, words))
        return np.frombuffer(spelt, np.int64).reshape(len(words), LONGEST_WORD)

    def _spell(self, word: str) -> bytes:
        """The character ids of one word, as they lie in memory."""
        ids = np.zeros(LONGEST_WORD, np.int64)
        seen = _shortened(word)
        ids[: len(seen)] = [self._char_ids.get(char, _UNKNOWN_ID) for char in seen]
        return ids.tobytes()


def _shortened(word: str) -> str:
    if len(word) <= LONGEST_WORD:
        return word
    return word[:_KEPT_START] + word[_KEPT_START - LONGEST_WORD :]
