"""An epoch of sentence pairs as sub-word ids, side by side in flat arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from service.text.subwords import PAD_ID

Ids = NDArray[np.int32]


class ParallelBatch(NamedTuple):
    """Padded source (batch, time) with lengths (batch,), target (batch, time) with BOS and EOS."""

    source: Tensor
    lengths: Tensor
    target: Tensor
    real: Tensor
    """(tokens,): where `target`, without its first column and flattened, is no padding. Found
    here, on the host: a GPU that looks for it has to be waited for."""


@dataclass(frozen=True, slots=True)
class Ragged:
    """Rows of different lengths in one array: row i is ids[starts[i]:starts[i + 1]]."""

    ids: Ids
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> Self:
        lengths = np.fromiter((len(row) for row in rows), np.int64, len(rows))
        ids = np.fromiter((number for row in rows for number in row), np.int32, lengths.sum())
        return cls(ids, np.concatenate([[0], lengths.cumsum()]))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        lengths = np.concatenate([part.lengths for part in parts])
        return cls(
            np.concatenate([part.ids for part in parts]), np.concatenate([[0], lengths.cumsum()])
        )

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.starts)

    def padded(self, rows: NDArray[np.int64]) -> Tensor:
        """(rows, longest), int64."""
        starts, lengths = self.starts[rows], self.lengths_of(rows)
        steps = np.arange(lengths.max())
        real = steps < lengths[:, None]
        places = np.where(real, starts[:, None] + steps, 0)
        return torch.from_numpy(np.where(real, self.ids[places], PAD_ID).astype(np.int64))

    def lengths_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        found: NDArray[np.int64] = self.starts[rows + 1] - self.starts[rows]
        return found


class EncodedPairs(Dataset[ParallelBatch]):
    """Sentence pairs that are read a batch at a time."""

    def __init__(self, sources: Ragged, targets: Ragged) -> None:
        self.sources, self.targets = sources, targets

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        return cls(
            Ragged.joined([part.sources for part in parts]),
            Ragged.joined([part.targets for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.sources.lengths)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Of the longer side of each pair."""
        return np.maximum(self.sources.lengths, self.targets.lengths)

    def __getitems__(self, rows: list[int]) -> ParallelBatch:
        chosen = np.asarray(rows)
        target = self.targets.padded(chosen)
        return ParallelBatch(
            self.sources.padded(chosen),
            torch.from_numpy(self.sources.lengths_of(chosen)),
            target,
            target[:, 1:].ne(PAD_ID).flatten().nonzero()[:, 0],
        )
