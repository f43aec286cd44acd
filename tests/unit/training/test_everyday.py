"""Everyday sentences: filled with what the corpus mentions, tagged as what they are."""

import numpy as np

from service.text.spans import tags_to_spans
from training.data.conll import LABELS, WordSentence
from training.data.everyday import (
    DEV_PATTERNS,
    TRAIN_PATTERNS,
    collect_mentions,
    everyday_sentences,
)

CORPUS = [
    WordSentence(
        ("President", "Anna", "Lee", "of", "Acme", "Inc", "left", "New", "Delhi", "in", "May"),
        ("B-PER", "I-PER", "I-PER", "O", "B-ORG", "I-ORG", "O", "B-LOC", "I-LOC", "O", "B-TIME"),
    )
]


def test_patterns_are_filled_with_mentions_of_their_label() -> None:
    mentions = collect_mentions(CORPUS)
    made = everyday_sentences(TRAIN_PATTERNS, 300, mentions, np.random.default_rng(1))
    assert len(made) == 300
    found = {label: set[str]() for label in LABELS}
    for sentence in made:
        assert len(sentence.words) == len(sentence.tags)
        assert not set(LABELS) & set(sentence.words)
        for label, start, end in tags_to_spans(sentence.tags):
            found[label].add(" ".join(sentence.words[start:end]))
    assert {"Acme Inc"} < found["ORG"]
    assert all({"Anna", "Lee"} & set(name.split()) for name in found["ORG"] - {"Acme Inc"})
    assert found["LOC"] == {"New Delhi"}
    assert {"May"} < found["TIME"]
    assert {name for names in found["PER"] for name in names.split()} == {"Anna", "Lee"}


def test_a_stray_word_that_the_corpus_calls_a_time_fills_no_pattern() -> None:
    noisy = WordSentence(("the", ",", "Oslo"), ("B-TIME", "B-LOC", "B-LOC"))
    mentions = collect_mentions([noisy])
    assert mentions.by_label["TIME"] == []
    assert mentions.by_label["LOC"] == [("Oslo",)]


def test_a_pattern_without_mentions_gives_no_sentence() -> None:
    mentions = collect_mentions([WordSentence(("Hi",), ("O",))])
    assert everyday_sentences(["PER sings"], 5, mentions, np.random.default_rng(1)) == []


def test_development_patterns_are_not_trained_on() -> None:
    assert not set(TRAIN_PATTERNS) & set(DEV_PATTERNS)
