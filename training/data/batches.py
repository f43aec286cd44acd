"""Batches of sequences of like length, sized by tokens and drawn reproducibly."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Sampler

_WINDOW_BATCHES = 50


def token_batches(lengths: Sequence[int] | NDArray[np.int64], budget: int) -> list[list[int]]:
    """Cut rows, sorted by length, into batches of at most `budget` padded tokens."""
    order = np.argsort(lengths, kind="stable")
    ordered = np.asarray(lengths)[order]
    batches: list[list[int]] = []
    start = 0
    while start < len(order):
        ahead = ordered[start : start + max(1, budget // max(1, int(ordered[start])))]
        tokens = ahead * np.arange(1, len(ahead) + 1)  # of a batch that ends with this row
        stop = start + max(1, int(np.searchsorted(tokens, budget, side="right")))
        batches.append(order[start:stop].tolist())
        start = stop
    return batches


class TokenBatchSampler(Sampler[list[int]]):
    """Length-bucketed batches in random order, a function of `(seed, epoch)` alone.

    Rows are shuffled, sorted within windows of about fifty batches, cut by `token_batches`, and
    the batches are shuffled again: little padding, yet no fixed batch-mates.
    """

    def __init__(
        self, lengths: Sequence[int] | NDArray[np.int64], budget: int, *, seed: int, epoch: int
    ) -> None:
        self._lengths = np.asarray(lengths)
        self._budget = budget
        self._batches = self._draw(np.random.default_rng([seed, epoch]))

    def _draw(self, rng: np.random.Generator) -> list[list[int]]:
        order = rng.permutation(len(self._lengths))
        window = max(1, int(_WINDOW_BATCHES * self._budget / max(1.0, self._lengths.mean())))
        batches: list[list[int]] = []
        for start in range(0, len(order), window):
            rows = order[start : start + window]
            cuts = token_batches(self._lengths[rows], self._budget)
            batches += [rows[cut].tolist() for cut in cuts]
        return [batches[i] for i in rng.permutation(len(batches))]

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self._batches)

    def __len__(self) -> int:
        return len(self._batches)


def pad(rows: Sequence[NDArray[np.int64] | Sequence[int]], *, pad_id: int = 0) -> torch.Tensor:
    """Rows of ids to one tensor (batch, time), padded at the end."""
    longest = max(len(row) for row in rows)
    padded = torch.full((len(rows), longest), pad_id, dtype=torch.int64)
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = torch.as_tensor(row)
    return padded
