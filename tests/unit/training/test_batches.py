"""Batches: nothing lost, within budget, reproducible."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.data.batches import TokenBatchSampler, pad, token_batches

LENGTHS = st.lists(st.integers(1, 50), min_size=1, max_size=200)


@given(LENGTHS, st.integers(1, 300))
def test_batches_hold_every_row_once_and_keep_the_budget(lengths: list[int], budget: int) -> None:
    batches = token_batches(lengths, budget)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        padded = len(batch) * max(lengths[row] for row in batch)
        assert padded <= budget or len(batch) == 1


@given(LENGTHS)
def test_an_epoch_is_a_function_of_seed_and_number(lengths: list[int]) -> None:
    draws = [list(TokenBatchSampler(lengths, 100, seed=1, epoch=2)) for _ in range(2)]
    assert draws[0] == draws[1]
    assert sorted(row for batch in draws[0] for row in batch) == list(range(len(lengths)))


def test_epochs_differ() -> None:
    lengths = list(range(1, 100))
    first, second = (list(TokenBatchSampler(lengths, 200, seed=1, epoch=e)) for e in (0, 1))
    assert first != second


def test_padding_stands_behind_the_rows() -> None:
    padded = pad([np.array([5, 6, 7]), np.array([8])])
    assert padded.tolist() == [[5, 6, 7], [8, 0, 0]]
