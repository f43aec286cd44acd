"""Sentences in pieces, without marks, without accents."""

import numpy as np
import pytest

from training.data.fragments import fragment, without_accents, without_marks

RNG = np.random.default_rng(0)


def test_a_fragment_is_one_to_four_words_in_a_row() -> None:
    text = "one two three four five six"
    found = {fragment(text, RNG) for _ in range(200)}
    assert all(piece in text for piece in found)
    assert {len(piece.split()) for piece in found} == {1, 2, 3, 4}


@pytest.mark.parametrize(
    "text",
    [
        "\u6771\u4eac\u306b\u884c\u304d\u307e\u3059\u304b",
        "\u4f60\u597d\u5417\u6211\u7684\u670b\u53cb",
    ],
)
def test_unspaced_text_is_cut_by_letters(text: str) -> None:
    found = {fragment(text, RNG) for _ in range(100)}
    assert all(piece in text for piece in found)
    assert min(map(len, found)) >= 2
    assert len(found) > 3


def test_a_long_word_is_not_cut() -> None:
    assert {fragment("Donaudampfschiff", RNG) for _ in range(20)} == {"Donaudampfschiff"}


def test_marks_and_accents_go_and_letters_stay() -> None:
    assert without_marks("\u00bfQu\u00e9? \u2014 S\u00ed!") == "Qu\u00e9    S\u00ed"
    assert without_accents("d\u00e9j\u00e0 \u00fcber") == "deja uber"


def test_marks_of_other_scripts_stay() -> None:
    hindi = "\u0915\u094d\u092f\u093e"
    assert without_accents(hindi) == hindi
