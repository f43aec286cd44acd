"""Words of a batch as ids: each spelling's characters once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from service.text.words import WordVocabulary
from training.models.recurrent import length_mask


class WordBatch(NamedTuple):
    """words (batch, time), chars (forms, chars), forms (batch, time), lengths (batch,)."""

    words: Tensor
    chars: Tensor
    forms: Tensor
    lengths: Tensor


class Spellings:
    """Every word met so far, spelt in a vocabulary's ids; grows with what it is asked for."""

    def __init__(self, vocabulary: WordVocabulary) -> None:
        self._vocabulary = vocabulary
        self._forms: dict[str, int] = {}
        self._words: list[int] = []
        self._chars: list[NDArray[np.int64]] = []

    def forms(self, words: Sequence[str]) -> NDArray[np.int64]:
        """(words,): a number for each spelling."""
        new = list(dict.fromkeys(word for word in words if word not in self._forms))
        if new:
            self._forms.update((word, i) for i, word in enumerate(new, start=len(self._words)))
            self._words += self._vocabulary.word_ids(new).tolist()
            self._chars += list(self._vocabulary.char_ids(new))
        return np.array([self._forms[word] for word in words], np.int64)

    def batch(self, rows: Sequence[NDArray[np.int64]]) -> WordBatch:
        """Rows of `forms`, padded."""
        lengths = torch.tensor([len(row) for row in rows])
        kept, where = np.unique(np.concatenate(rows), return_inverse=True)
        words = np.array([self._words[form] for form in kept])[where]
        chars = torch.from_numpy(np.stack([self._chars[form] for form in kept]))
        real = length_mask(lengths, int(lengths.max()))
        return WordBatch(_spread(words, real), chars, _spread(where, real), lengths)


def _spread(values: NDArray[np.int64], real: Tensor) -> Tensor:
    """All rows' values one after another to (batch, time), zeros where nothing is real."""
    spread = torch.zeros(real.shape, dtype=torch.int64)
    spread[real] = torch.from_numpy(values)
    return spread
