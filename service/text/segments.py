"""A text as what is translated, sentence by sentence, and what is carried through between."""

import unicodedata
from collections.abc import Callable
from itertools import accumulate, pairwise
from typing import NamedTuple

import regex

from service.text.sentences import Offsets, split_long, split_sentences
from service.text.standins import MARKS, mask, unmasked_offset

_LIST_MARK = regex.compile(r"\s*+(?:(?:[-*\u2022\u00b7\u2013\u2014>#]++|\d{1,2}[.)])\s++)*+")
_ANY_MARK = regex.compile("|".join(MARKS))
_LETTER = regex.compile(r"\p{L}")
_OUR_LETTER = regex.compile(r"(?=\p{L})[\p{Latin}\p{Devanagari}]")


class Segment(NamedTuple):
    """Consecutive characters of a text; `start` is the place of the first."""

    text: str
    start: int
    translated: bool


def segment(text: str, limit: int, offsets_of: Callable[[str], Offsets]) -> list[Segment]:
    """`text` in order and without loss: sentences of at most some `limit` sub-words, and the rest.

    The rest is what stands between sentences (blanks, line breaks, list marks) and sentences
    without a word, such as numbers, addresses or emoji.
    """
    found: list[Segment] = []
    start = 0
    for position, part in enumerate(split_sentences(text)):
        pieces = [part] if position % 2 else _pieces(part, limit, offsets_of)
        for piece in filter(None, pieces):
            found.append(Segment(piece, start, has_words(piece)))
            start += len(piece)
    return found


def has_words(text: str) -> bool:
    """True if a letter stands in `text` outside of the spans that are carried through."""
    return _LETTER.search(_ANY_MARK.sub("", mask(text).text)) is not None


def foreign_script(text: str) -> str | None:
    """The script of a text that has no Latin or Devanagari letter, such as Arabic."""
    if _OUR_LETTER.search(text):
        return None
    letter = _LETTER.search(text)
    return unicodedata.name(letter.group(), "unnamed").split()[0].title() if letter else None


def _pieces(sentence: str, limit: int, offsets_of: Callable[[str], Offsets]) -> list[str]:
    """List mark, sentence in pieces with separators, trailing blanks; they join to `sentence`."""
    begin = _LIST_MARK.match(sentence)
    first = begin.end() if begin else 0
    last = max(first, len(sentence.rstrip()))
    return [sentence[:first], *_cut(sentence[first:last], limit, offsets_of), sentence[last:]]


def _cut(sentence: str, limit: int, offsets_of: Callable[[str], Offsets]) -> list[str]:
    """Pieces of a long sentence, cut outside of the spans that are carried through."""
    masked = mask(sentence)
    ends = accumulate(map(len, split_long(masked.text, limit, offsets_of)), initial=0)
    bounds = [unmasked_offset(masked, end) for end in ends]
    return [sentence[start:end] for start, end in pairwise(bounds)]
