"""Which word of a translation comes from which word of the source, by the decoder's attention."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import regex
from numpy.typing import NDArray

Span = tuple[int, int]

_WORD = regex.compile(
    r"\u27e8\d\u27e9|[\p{L}\p{M}\p{N}]+(?:['\u2019-][\p{L}\p{M}\p{N}]+)*|[^\s\p{L}\p{M}\p{N}]"
)
_LEAST_WEIGHT = 0.15
"""Words that get less of the attention are not linked."""


class Pieces(NamedTuple):
    """A text and the characters of each of its pieces."""

    text: str
    spans: Sequence[Span]


class Link(NamedTuple):
    """Characters of a source word and of the target word that it became; `weight` up to 1."""

    source: Span
    target: Span
    weight: float


def word_spans(text: str) -> list[Span]:
    """Words, numbers, stand-ins and single marks of `text`."""
    return [found.span() for found in _WORD.finditer(text)]


def piece_spans(ids: Sequence[int], decode: Callable[[Sequence[int]], str]) -> list[Span]:
    """The characters that each of `ids` adds to their text."""
    ends = [len(decode(ids[: count + 1])) for count in range(len(ids))]
    return list(zip([0, *ends], ends, strict=False))


class WordAttention(NamedTuple):
    """`weights` (target words, source words): how much of its attention a word gave to another."""

    source: list[Span]
    target: list[Span]
    weights: NDArray[np.float32]


def attend_words(weights: NDArray[np.float32], source: Pieces, target: Pieces) -> WordAttention:
    """Attention between words from attention between pieces, (target pieces, source pieces).

    It is summed over a source word and averaged over a target word.
    """
    source_words, target_words = word_spans(source.text), word_spans(target.text)
    columns = _membership(source.spans, source_words)
    rows = _membership(target.spans, target_words)
    pieces = np.maximum(rows.sum(axis=0), 1)[:, None]
    return WordAttention(source_words, target_words, (rows.T @ weights @ columns) / pieces)


def align_words(attention: WordAttention) -> list[Link]:
    """Links of each target word to the source word that got most of its attention."""
    links = []
    for word, found in zip(attention.target, attention.weights, strict=True):
        if found.size and found.max() >= _LEAST_WEIGHT:
            best = int(found.argmax())
            links.append(Link(attention.source[best], word, float(found[best])))
    return links


def _membership(pieces: Sequence[Span], words: Sequence[Span]) -> NDArray[np.float32]:
    """(pieces, words), 1 where the last character of the piece stands in the word."""
    ends = np.array([end - 1 for _, end in pieces], np.int64)[:, None]
    starts, stops = np.array(words, np.int64).reshape(-1, 2).T
    nonempty = np.array([end > start for start, end in pieces], np.bool_)[:, None]
    return ((starts <= ends) & (ends < stops) & nonempty).astype(np.float32)
