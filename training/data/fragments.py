"""Sentences seen as people type them in a hurry: in pieces, without marks, without accents."""

import unicodedata

import numpy as np
import regex

_MARKS = regex.compile(r"[\p{P}\p{S}]+")
_ACCENT = regex.compile(r"(?<=\p{Latin})\p{Mn}+")
_MOST_WORDS = 4
_FEWEST_LETTERS, _MOST_LETTERS = 2, 12


def fragment(text: str, rng: np.random.Generator) -> str:
    """One to four words in a row; some letters where no blanks stand between words."""
    words = text.split()
    if len(words) > 2:
        count = int(rng.integers(1, _MOST_WORDS + 1))
        start = int(rng.integers(max(1, len(words) - count + 1)))
        return " ".join(words[start : start + count])
    count = int(rng.integers(_FEWEST_LETTERS, _MOST_LETTERS + 1))
    if len(words) == 2 or len(text) <= count:
        return text
    start = int(rng.integers(len(text) - count))
    return text[start : start + count] if _is_unspaced(text) else text


def without_marks(text: str) -> str:
    """No punctuation and no symbols."""
    return _MARKS.sub(" ", text).strip()


def without_accents(text: str) -> str:
    """Latin letters without their accents."""
    bare = _ACCENT.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", bare)


def _is_unspaced(text: str) -> bool:
    """True for Chinese and Japanese, which put no blanks between words."""
    return any("\u3040" <= char <= "\u30ff" or "\u4e00" <= char <= "\u9fff" for char in text)
