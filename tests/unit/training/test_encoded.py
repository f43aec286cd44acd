"""Sentence pairs in flat arrays: a batch holds exactly the rows that were asked for."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.data.encoded import EncodedPairs, Ragged

ROWS = st.lists(st.lists(st.integers(1, 99), min_size=1, max_size=9), min_size=1, max_size=9)


@given(rows=ROWS, data=st.data())
def test_padded_rows_are_the_rows(rows: list[list[int]], data: st.DataObject) -> None:
    wanted = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=5))
    padded = Ragged.of(rows).padded(np.array(wanted)).tolist()
    assert [[number for number in row if number] for row in padded] == [rows[i] for i in wanted]
    assert {len(row) for row in padded} == {max(len(rows[i]) for i in wanted)}


@given(first=ROWS, second=ROWS)
def test_joined_parts_are_one_after_the_other(
    first: list[list[int]], second: list[list[int]]
) -> None:
    joined, whole = Ragged.joined([Ragged.of(first), Ragged.of(second)]), Ragged.of(first + second)
    assert joined.ids.tolist() == whole.ids.tolist()
    assert joined.starts.tolist() == whole.starts.tolist()


def test_a_batch_says_where_its_targets_are_real() -> None:
    pairs = EncodedPairs(Ragged.of([[5, 6, 7], [8]]), Ragged.of([[1, 4, 2], [1, 3, 3, 2]]))
    batch = pairs.__getitems__([1, 0])
    assert batch.lengths.tolist() == [1, 3]
    assert batch.target[:, 1:].flatten()[batch.real].tolist() == [3, 3, 2, 4, 2]
