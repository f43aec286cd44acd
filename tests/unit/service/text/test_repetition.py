"""Loops: they are cut, and what the source repeats is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.repetition import longest_run, without_loops

IDS = st.lists(st.integers(1, 4), max_size=40)


def cut(ids: list[int], source_run: int = 1) -> list[int]:
    return [ids[position] for position in without_loops(ids, source_run)]


@pytest.mark.parametrize(
    "ids, run",
    [([], 1), ([1], 1), ([1, 2], 1), ([1, 1], 2), ([1, 2, 1, 2, 1], 2), ([3, 1, 2, 3] * 5, 5)],
)
def test_the_longest_run_counts_repeats_of_any_length(ids: list[int], run: int) -> None:
    assert longest_run(ids) == run


@pytest.mark.parametrize(
    "ids, expected",
    [
        ([7, 1, 1, 1, 1, 1, 8], [7, 1, 1, 1, 8]),
        ([1, 2, 3] * 50 + [4], [1, 2, 3, 1, 2, 3, 4]),
        ([5, *[1, 2] * 9], [5, 1, 2, 1, 2, 1, 2]),
        ([1, 2, 3, 1, 2, 3], [1, 2, 3, 1, 2, 3]),
        ([], []),
    ],
)
def test_a_loop_is_cut_to_what_may_be_repeated(ids: list[int], expected: list[int]) -> None:
    assert cut(ids) == expected


@given(IDS, st.integers(1, 6))
def test_no_loop_remains(ids: list[int], source_run: int) -> None:
    assert longest_run(cut(ids, source_run)) <= max(3, source_run)


@given(IDS)
def test_a_source_that_repeats_itself_allows_as_much(ids: list[int]) -> None:
    assert cut(ids, longest_run(ids)) == ids
