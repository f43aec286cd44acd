"""Augmented sentences stay well-formed and keep what they keep."""

import numpy as np
import pytest

from training.data.augmentation import shorten_names, start_late
from training.data.conll import WordSentence

SENTENCE = WordSentence(
    ("Today", "Anna", "Maria", "Lee", "visited", "Rome", "again", "."),
    ("B-TIME", "B-PER", "I-PER", "I-PER", "O", "B-LOC", "O", "O"),
)


@pytest.mark.parametrize("seed", range(10))
def test_a_shortened_name_is_its_first_or_last_word(seed: int) -> None:
    found = shorten_names(SENTENCE, 0.999, np.random.default_rng(seed))
    assert found.words[1] in ("Anna", "Lee")
    assert found.words[2:] == ("visited", "Rome", "again", ".")
    assert found.tags == ("B-TIME", "B-PER", "O", "B-LOC", "O", "O")


def test_names_of_one_word_and_rate_zero_change_nothing() -> None:
    assert shorten_names(SENTENCE, 0.0, np.random.default_rng(0)) == SENTENCE
    short = WordSentence(("Anna", "left"), ("B-PER", "O"))
    assert shorten_names(short, 0.999, np.random.default_rng(0)) == short


def test_a_late_start_begins_with_an_entity() -> None:
    starts = {start_late(SENTENCE, np.random.default_rng(seed)).words[0] for seed in range(40)}
    assert starts == {"Today", "Anna", "Rome"}


def test_a_sentence_without_entities_stays_whole() -> None:
    plain = WordSentence(("It", "rains", "."), ("O", "O", "O"))
    assert start_late(plain, np.random.default_rng(0)) == plain


def test_end_marks_are_dropped_only_behind_something() -> None:
    assert SENTENCE.without_stop().words[-1] == "again"
    lone = WordSentence((".",), ("O",))
    assert lone.without_stop() == lone
