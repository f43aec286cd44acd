"""Hindi words that are in use: those of the `wordfreq` package, and of our own corpora."""

import unicodedata
from collections.abc import Iterable

import regex
from wordfreq import get_frequency_dict

_WORD = regex.compile(r"[\p{Devanagari}--[\p{N}\p{P}]]+", regex.V1)


def listed_words(sentences: Iterable[str]) -> list[str]:
    """Words of `wordfreq` (Speer 2022) and of `sentences`, each once."""
    listed = [word for word in get_frequency_dict("hi") if _WORD.fullmatch(word)]
    seen = [word for sentence in sentences for word in _WORD.findall(sentence)]
    return list(dict.fromkeys(unicodedata.normalize("NFC", word) for word in [*listed, *seen]))
