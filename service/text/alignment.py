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


def align_words(
    weights: NDArray[np.float32], source: tuple[str, Sequence[Span]], target: tuple[str, list[Span]]
) -> list[Link]:
    """Links of each target word to the source word that got most of its attention.

    `weights` is (target pieces, source pieces); `source` and `target` are each a text with the
    spans of its pieces. Attention is summed over a source word and averaged over a target word.
    """
    source_words, target_words = word_spans(source[0]), word_spans(target[0])
    columns = _membership(source[1], source_words)
    rows = _membership(target[1], target_words)
    pieces = np.maximum(rows.sum(axis=0), 1)[:, None]
    attention = (rows.T @ weights @ columns) / pieces  # (target words, source words)
    links = []
    for word, found in enumerate(attention):
        if found.size and found.max() >= _LEAST_WEIGHT:
            best = int(found.argmax())
            links.append(Link(source_words[best], target_words[word], float(found[best])))
    return links


def _membership(pieces: Sequence[Span], words: Sequence[Span]) -> NDArray[np.float32]:
    """(pieces, words), 1 where the last character of the piece stands in the word."""
    ends = np.array([end - 1 for _, end in pieces], np.int64)[:, None]
    starts, stops = np.array(words, np.int64).reshape(-1, 2).T
    nonempty = np.array([end > start for start, end in pieces], np.bool_)[:, None]
    return ((starts <= ends) & (ends < stops) & nonempty).astype(np.float32)
