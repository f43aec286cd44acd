"""The character n-gram model."""

import math
from itertools import product

import pytest

from service.text.ngrams import CharacterNgrams

WORDS = ["ab", "aab", "b"]


def test_unigrams_are_mixed_with_the_uniform_distribution() -> None:
    model = CharacterNgrams.count(["a"], order=1, least=1)
    # "a" and the end once each: two kinds, two times.
    each = (1 + 2 / 100) / (2 + 2)
    assert model.log_probability("a") == pytest.approx(2 * math.log(each))


def test_words_like_those_that_were_counted_are_likelier() -> None:
    model = CharacterNgrams.count(WORDS, order=3, least=1)
    assert model.log_probability("aab") > model.log_probability("bba")
    assert model.log_probability("zzz") > -math.inf


def test_probabilities_of_short_words_sum_to_less_than_one() -> None:
    model = CharacterNgrams.count(WORDS, order=3, least=1)
    words = ("".join(letters) for n in range(7) for letters in product("ab", repeat=n))
    assert 0.3 < sum(math.exp(model.log_probability(word)) for word in words) < 1


def test_rare_long_ngrams_are_left_out() -> None:
    model = CharacterNgrams.count(WORDS, order=3, least=2)
    assert "aab" not in model.counts
    assert {"ab$", "aa"} <= model.counts.keys()
