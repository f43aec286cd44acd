"""How often Hindi words are used: word lists of the `wordfreq` package, and our own corpora."""

import unicodedata
from collections import Counter
from collections.abc import Iterable

import regex
from wordfreq import get_frequency_dict

_WORD = regex.compile(r"[\p{Devanagari}--[\p{N}\p{P}]]+", regex.V1)
_OCCURRENCES = 10_000_000
"""What the package's frequencies are told in; its rarest words have ten."""


def count_words(sentences: Iterable[str]) -> Counter[str]:
    """Words of `wordfreq` (Speer 2022), and those of `sentences` once for each time they occur."""
    counts: Counter[str] = Counter()
    for word, share in get_frequency_dict("hi").items():
        if _WORD.fullmatch(word):
            counts[unicodedata.normalize("NFC", word)] += max(1, round(share * _OCCURRENCES))
    for sentence in dict.fromkeys(sentences):
        counts.update(_WORD.findall(unicodedata.normalize("NFC", sentence)))
    return counts
