"""Which words an answer hangs on: occlusion (Zeiler & Fergus, ECCV 2014; Li et al., 2016).

Each word in turn is hidden from the model, which then answers again. Hidden sub-words become the
symbol that training put in the place of dropped ones, so the model has met such texts; the weight
is what the answer's log-odds lose. The rows go through the same queue as any others.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import regex
from numpy.typing import NDArray

from service.text.subwords import BOS_ID, Pieces
from service.text.words import Word

MOST_EXPLAINED = 4
"""Texts of one call that may be explained."""
MOST_TOKENS = 12_288
"""Sub-words that the variants of one text may have together: a call stays below 50,000."""

_WORD = regex.compile(r"[^\s\p{P}]+(?:\p{P}+[^\s\p{P}]+)*")
_RUN = regex.compile(r"\S+")
_SMALLEST = 1e-7
"""Probabilities are kept this far from 0 and 1: float32 tells no more of them."""


class WordWeight(msgspec.Struct, frozen=True):
    """A word, and by how much it raises the log-odds of the label that was found.

    Where a long text has more words than may be hidden one by one, neighbours are hidden
    together and share their weight evenly.
    """

    word: str
    start: int
    end: int
    weight: float


class Explained(NamedTuple):
    """A text's words in groups, and the ids of the text without each group."""

    groups: list[list[Word]]
    variants: list[NDArray[np.int64]]


def occlude(text: str, pieces: Pieces) -> Explained:
    """The variants of a text: as many as it has words, if `MOST_TOKENS` allows them."""
    words = _words(text)
    most = max(1, MOST_TOKENS // max(1, len(pieces.ids)))
    places = np.array_split(np.arange(len(words)), min(len(words), most))
    groups = [[words[i] for i in place] for place in places]
    return Explained(groups, [_hidden(pieces, group) for group in groups])


def word_weights(explained: Explained, probabilities: NDArray[np.float32]) -> list[WordWeight]:
    """Weights from the label's probabilities: of the whole text, then of each variant."""
    clipped = np.clip(probabilities.astype(np.float64), _SMALLEST, 1 - _SMALLEST)
    odds = np.log(clipped) - np.log1p(-clipped)
    found: list[WordWeight] = []
    for group, drop in zip(explained.groups, odds[0] - odds[1:], strict=True):
        weight = round(float(drop) / len(group), 6)
        found += [WordWeight(word.text, word.start, word.end, weight) for word in group]
    return found


def _words(text: str) -> list[Word]:
    """Words without the marks around them; of a text without any, its runs of marks."""
    found = list(_WORD.finditer(text)) or list(_RUN.finditer(text))
    return [Word(match.group(), *match.span()) for match in found]


def _hidden(pieces: Pieces, group: Sequence[Word]) -> NDArray[np.int64]:
    """Ids with the sub-words between the group's first and last character hidden."""
    start, end = group[0].start, group[-1].end
    spans = np.array(pieces.offsets)
    inside = (spans[:, 0] < end) & (spans[:, 1] > start)
    return np.where(inside, BOS_ID, np.array(pieces.ids, np.int64))
