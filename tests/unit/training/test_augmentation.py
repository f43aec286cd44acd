"""Augmented sentences stay well-formed and keep what they keep."""

import numpy as np
import pytest

from training.data.augmentation import names_of_people, rename_people, start_late
from training.data.conll import WordSentence

SENTENCE = WordSentence(
    ("Today", "Anna", "Maria", "Lee", "visited", "Rome", "again", "."),
    ("B-TIME", "B-PER", "I-PER", "I-PER", "O", "B-LOC", "O", "O"),
)


NAMES = ["Pankaj", "Olga"]


@pytest.mark.parametrize("seed", range(10))
def test_a_renamed_person_has_one_or_two_of_the_names(seed: int) -> None:
    found = rename_people(SENTENCE, 0.999, NAMES, np.random.default_rng(seed))
    people = [word for word, tag in zip(found.words, found.tags, strict=True) if "PER" in tag]
    assert set(people) <= set(NAMES)
    assert found.tags[1 : 1 + len(people)] == ("B-PER", "I-PER")[: len(people)]
    assert found.words[1 + len(people) :] == ("visited", "Rome", "again", ".")


def test_rate_zero_and_sentences_without_people_change_nothing() -> None:
    assert rename_people(SENTENCE, 0.0, NAMES, np.random.default_rng(0)) == SENTENCE
    plain = WordSentence(("Rome", "sleeps"), ("B-LOC", "O"))
    assert rename_people(plain, 0.999, NAMES, np.random.default_rng(0)) == plain


def test_titles_marks_and_places_are_no_names() -> None:
    titled = WordSentence(
        ("President", "Al", "-", "Sisi", "of", "Egypt"),
        ("B-PER", "I-PER", "I-PER", "I-PER", "O", "B-LOC"),
    )
    assert names_of_people([titled, SENTENCE]) == ["Anna", "Lee", "Maria", "Sisi"]


def test_a_late_start_begins_with_a_person_or_else_with_an_entity() -> None:
    assert start_late(SENTENCE, np.random.default_rng(0)).words[0] == "Anna"
    places = WordSentence(
        ("In", "Rome", "or", "Oslo", "it", "rains"), ("O", "B-LOC", "O", "B-LOC", "O", "O")
    )
    starts = {start_late(places, np.random.default_rng(seed)).words[0] for seed in range(40)}
    assert starts == {"Rome", "Oslo"}


def test_a_sentence_without_entities_stays_whole() -> None:
    plain = WordSentence(("It", "rains", "."), ("O", "O", "O"))
    assert start_late(plain, np.random.default_rng(0)) == plain


def test_end_marks_are_dropped_only_behind_something() -> None:
    assert SENTENCE.without_stop().words[-1] == "again"
    lone = WordSentence((".",), ("O",))
    assert lone.without_stop() == lone
