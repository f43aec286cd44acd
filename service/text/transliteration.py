"""Which parts of a text are romanised Hindi words, and what stays as it is."""

import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

import regex

LONGEST_WORD = 30
"""Letters; no Hindi word is longer, and what is longer stays as it is."""

_TOKEN = regex.compile(
    r"""
    (?P<kept>                                        # addresses, e-mail, mentions, tags, formats
      \w+://\S+ | www\.\S+ | [\w.+-]+@[\w-]+(?:\.[\w-]+)+ | [@\#][\p{L}\p{N}_]+
      | </?\p{L}[^<>]{0,200}> | \{\w*\} | %[sd]
      | [\p{L}\p{M}_]*[\p{N}_][\p{L}\p{M}\p{N}_]*    # whatever has a digit: 2nd, b2b, x_1
    )
    | (?P<word>(?:\p{Latin}\p{Mn}*)+(?:['\u2019](?:\p{Latin}\p{Mn}*)+)*)
    """,
    regex.VERBOSE,
)
_DANDA = "\u0964"
_STOP = regex.compile(r"\.(?=\s|$)")


class Token(NamedTuple):
    """A word to be written in Devanagari: `text[start:end]`, and the letters that are read."""

    letters: str
    start: int
    end: int


def romanised_words(text: str) -> list[Token]:
    """Words in Latin letters. Acronyms stay, unless all of several words are in capitals."""
    words = [found for found in _TOKEN.finditer(text) if found["word"]]
    shouted = len(words) > 1 and all(found["word"].isupper() for found in words)
    return [
        Token(letters(found["word"]), *found.span())
        for found in words
        if (shouted or not _is_acronym(found["word"])) and len(found["word"]) <= LONGEST_WORD
    ]


def letters(word: str) -> str:
    """What the model reads: lower case, no accents, no apostrophes."""
    bare = unicodedata.normalize("NFD", word.lower())
    return "".join(char for char in bare if char.isalpha())


def in_devanagari(text: str, tokens: Sequence[Token], write: Callable[[str], str]) -> str:
    """`text` with each token written anew; a full stop behind one becomes a danda."""
    parts: list[str] = []
    position = 0
    for token in tokens:
        parts += [text[position : token.start], write(token.letters)]
        position = token.end
        if _STOP.match(text, position):
            parts.append(_DANDA)
            position += 1
    return "".join([*parts, text[position:]])


def _is_acronym(word: str) -> bool:
    return len(word) > 1 and word.isupper()
