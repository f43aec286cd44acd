"""Augmented sentences stay well-formed and keep what they keep."""

import numpy as np
import pytest

from training.config import NerModel
from training.data.augmentation import (
    Augmentation,
    names_of_people,
    rename_people,
    start_late,
    swap_names,
)
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


@pytest.mark.parametrize("seed", range(10))
def test_swapped_places_and_organizations_keep_their_type(seed: int) -> None:
    sentence = WordSentence(("Acme", "left", "New", "Delhi"), ("B-ORG", "O", "B-LOC", "I-LOC"))
    known: dict[str, list[tuple[str, ...]]] = {"ORG": [("Basta", "AG")], "LOC": [("Oslo",)]}
    found = swap_names(sentence, 1.0, known, NAMES, np.random.default_rng(seed))
    assert found.words[-2:] == ("left", "Oslo")
    assert found.tags[-2:] == ("O", "B-LOC")
    assert found.tags[0] == "B-ORG"
    assert set(found.tags[1:-2]) <= {"I-ORG"}


def test_no_name_to_swap_with_changes_nothing() -> None:
    known: dict[str, list[tuple[str, ...]]] = {"ORG": [], "LOC": []}
    assert swap_names(SENTENCE, 1.0, known, [], np.random.default_rng(0)) == SENTENCE


@pytest.mark.parametrize("rate,change", [("lowercase_rate", "lower"), ("uppercase_rate", "upper")])
def test_case_changes_words_and_never_tags(rate: str, change: str) -> None:
    rates = {"lowercase_rate": 0, "uppercase_rate": 0, "open_end_rate": 0, "rename_rate": 0}
    settings = NerModel.model_validate({**rates, "late_start_rate": 0, rate: 0.999999})
    found = Augmentation(settings, [], {})(SENTENCE, np.random.default_rng(0))
    assert found.words == tuple(getattr(word, change)() for word in SENTENCE.words)
    assert found.tags == SENTENCE.tags


def test_end_marks_are_dropped_only_behind_something() -> None:
    assert SENTENCE.without_stop().words[-1] == "again"
    lone = WordSentence((".",), ("O",))
    assert lone.without_stop() == lone
