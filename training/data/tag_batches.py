"""Sentences on their way into the tagger, and batches of them."""

from typing import NamedTuple

from torch import Tensor

from training.data.conll import WordSentence
from training.data.spellings import WordBatch
from training.models.recurrent import length_mask


class Example(NamedTuple):
    """A sentence, the set that it came from ("" if it was made), and how it is to be read."""

    sentence: WordSentence
    source: str
    convention: int


class TagBatch(NamedTuple):
    """words, conventions (batch,), tags (batch, time), allowed (batch, time, tags), sources."""

    words: WordBatch
    conventions: Tensor
    tags: Tensor
    allowed: Tensor
    sources: list[str]

    @property
    def mask(self) -> Tensor:
        return length_mask(self.words.lengths, self.tags.shape[1])
