"""What the language detector reads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.detection import (
    GRAM_BUCKETS,
    GRAM_ORDERS,
    MOST_WINDOWS,
    WINDOW,
    grams,
    has_letters,
    plain,
    windows,
)


@pytest.mark.parametrize(
    "text, read",
    [
        ("HELLO  World\n", "hello world"),
        ("Seen 12.5 times in 1990", "seen 0 times in 0"),
        ("Nooooo!!! \U0001f600", "noo!"),
        ("see https://a.example/x?y=Z and me@b.example", "see and"),
        ("hi @you, {name} <b>there</b> %s", "hi , there"),
        ("e\u0301te\u0301", "\u00e9t\u00e9"),
    ],
)
def test_what_has_no_language_is_not_read(text: str, read: str) -> None:
    assert plain(text) == read


def test_digits_and_marks_are_no_letters() -> None:
    assert not has_letters("12:30 ?! \U0001f600")
    assert has_letters("12 \u0915")


@given(st.text(max_size=3_000))
def test_windows_are_bounded_parts_of_the_text(text: str) -> None:
    parts = windows(text)
    assert 1 <= len(parts) <= MOST_WINDOWS
    for part in parts:
        assert part in text
        assert len(part) <= WINDOW


def test_windows_reach_both_ends_of_a_long_text() -> None:
    text = " ".join(f"w{i}" for i in range(1_000))
    parts = windows(text)
    assert parts[0].startswith("w0 w1")
    assert parts[-1].endswith("w999")
    assert all(part.startswith("w") for part in parts)


@given(st.text(min_size=1, max_size=50))
def test_each_character_has_a_gram_of_each_order(text: str) -> None:
    found = grams(text)
    assert found.shape == (len(text), len(GRAM_ORDERS))
    assert found.dtype == np.int64
    assert 0 <= found.min() <= found.max() < GRAM_BUCKETS


def test_grams_depend_on_their_own_characters_alone() -> None:
    one, other = grams("abcdefgh"), grams("abcdefxx")
    np.testing.assert_array_equal(one[:4], other[:4])
    assert (one[5] != other[5]).all()


def test_the_hash_never_changes() -> None:
    """A shipped table is looked up by it."""
    assert grams("kya \u0915").tolist() == [
        [16112, 6855],
        [1101, 1591],
        [3135, 6550],
        [952, 743],
        [8809, 971],
    ]
