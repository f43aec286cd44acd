"""What the language detector reads: plain text in lower case, in windows, with its n-grams."""

import unicodedata

import numpy as np
import regex
from numpy.typing import NDArray

WINDOW = 160
"""Characters that the detector reads at once."""
MOST_WINDOWS = 6
"""Windows of one text, evenly spread: a longer text costs no more, and tells no more."""
GRAM_ORDERS = (3, 5)
GRAM_BUCKETS = 16384

_FOREIGN = regex.compile(
    r"""
    \w+://\S+ | \bwww\.\S+                  # addresses, e-mail, mentions and tags: no language
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+ | (?<!\w)[@\#][\p{L}\p{N}_]+
    | </?\p{L}[^<>]{0,200}> | \{\p{L}*\} | %[sd]
    """,
    regex.VERBOSE,
)
_DIGITS = regex.compile(r"\p{N}+(?:[.,:/]\p{N}+)*")
_SYMBOLS = regex.compile(r"[\p{S}\p{C}\s]+")
_REPEATED = regex.compile(r"(\p{P})\1+|(\p{L})\2{3,}")
_BASE = 1_000_003


def has_letters(text: str) -> bool:
    """True if a language can be told at all."""
    return any(char.isalpha() for char in text)


def plain(text: str) -> str:
    """Lower case without addresses, symbols and emoji; numbers are 0, repeated marks single."""
    text = unicodedata.normalize("NFC", text)
    text = _DIGITS.sub("0", _FOREIGN.sub(" ", text))
    text = _SYMBOLS.sub(" ", text.lower()).strip()
    return _REPEATED.sub(r"\1\2\2", text)


def windows(text: str) -> list[str]:
    """`text` itself, or evenly spread parts of a long one, cut at blanks where there are any."""
    if len(text) <= WINDOW:
        return [text]
    count = min(MOST_WINDOWS, -(-len(text) // WINDOW))
    starts = np.linspace(0, len(text) - WINDOW, count).astype(int).tolist()
    return [_whole_words(text, start) for start in starts]


def grams(text: str) -> NDArray[np.int64]:
    """Hashed n-grams around each character: (characters, orders), below GRAM_BUCKETS.

    As in Joulin et al. (EACL 2017), whose bags of hashed n-grams tell languages well; here they
    enter the recurrent layer beside the characters.
    """
    reach = max(GRAM_ORDERS) // 2
    points = np.array([ord(" ")] * reach + [ord(c) for c in text] + [ord(" ")] * reach, np.uint64)
    return np.stack([_hashed(points, order, reach) for order in GRAM_ORDERS], axis=1)


def _hashed(points: NDArray[np.uint64], order: int, reach: int) -> NDArray[np.int64]:
    """A polynomial hash of `order` characters, its high bits mixed down (splitmix64)."""
    count, first = len(points) - 2 * reach, reach - order // 2
    value = np.full(count, order, np.uint64)
    for place in range(first, first + order):
        value = value * np.uint64(_BASE) + points[place : place + count]
    value ^= value >> np.uint64(29)
    value *= np.uint64(0x94D049BB133111EB)
    return ((value >> np.uint64(32)) % np.uint64(GRAM_BUCKETS)).astype(np.int64)


def _whole_words(text: str, start: int) -> str:
    """The window at `start` without the pieces of words at its ends."""
    window = text[start : start + WINDOW]
    head = window.find(" ") + 1 if start else 0
    tail = window.rfind(" ") if start + WINDOW < len(text) else len(window)
    return window[head:tail] if tail - head > WINDOW // 2 else window
