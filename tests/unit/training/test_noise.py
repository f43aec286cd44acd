"""Noise on training sources: none where none is asked for, and marks are never touched."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.config import Noise
from training.data.noise import with_noise

TEXTS = st.text(st.sampled_from("abcXYZé .?\u0964"), min_size=1, max_size=30)


@given(TEXTS, st.integers(0, 999))
def test_without_noise_a_text_stays_as_it_is(text: str, seed: int) -> None:
    assert with_noise(text, Noise(), np.random.default_rng(seed)) == text


@given(TEXTS, st.integers(0, 999))
def test_a_mistyped_text_differs_by_one_letter_at_most(text: str, seed: int) -> None:
    found = with_noise(text, Noise(typo=0.999), np.random.default_rng(seed))
    assert abs(len(found) - len(text)) <= 1
    assert found[0] == text[0]


def test_the_mark_at_the_end_goes_and_capitals_become_small() -> None:
    rng = np.random.default_rng(1)
    noise = Noise(lowercase=0.999, unpunctuated=0.999)
    assert with_noise("Who is \u27e80\u27e9?", noise, rng) == "who is \u27e80\u27e9"


def test_a_text_of_marks_alone_is_kept() -> None:
    assert with_noise("?!", Noise(unpunctuated=0.999), np.random.default_rng(1)) == "?!"


def test_stand_ins_survive_typos() -> None:
    for seed in range(200):
        text = "I met \u27e83\u27e9 and \u27e84\u27e9 there"
        found = with_noise(text, Noise(typo=0.999), np.random.default_rng(seed))
        assert "\u27e83\u27e9" in found
        assert "\u27e84\u27e9" in found
