"""Composed sentences: labels follow structure, words alone do not give them away."""

from collections import Counter

import numpy as np

from training.data.composition import compose_reviews
from training.data.reviews import Review, order_sensitive

TRAIN = compose_reviews(4000, np.random.default_rng(1))


def texts(reviews: list[Review]) -> set[str]:
    return {review.text for review in reviews}


def test_the_same_seed_composes_the_same_sentences() -> None:
    assert compose_reviews(50, np.random.default_rng(1)) == TRAIN[:50]


def test_every_slot_is_filled() -> None:
    assert not [review for review in TRAIN if "{" in review.text or "}" in review.text]


def test_both_labels_are_as_frequent() -> None:
    assert 0.45 < np.mean([review.label for review in TRAIN]) < 0.55


def test_no_sentence_has_two_labels() -> None:
    labels: dict[str, set[int]] = {}
    for review in TRAIN:
        labels.setdefault(review.text.lower(), set()).add(review.label)
    assert not [text for text, found in labels.items() if len(found) > 1]


def test_opinion_words_alone_hardly_tell_the_label() -> None:
    """That is the point: words like these stand in half of the sentences that praise."""
    words = {"dull", "slow", "boring", "ugly", "weak", "useless", "noisy", "awful"}
    seen: Counter[int] = Counter()
    for review in TRAIN:
        seen[review.label] += bool(words & set(review.text.lower().strip(".!?").split()))
    assert 0.35 < seen[1] / (seen[0] + seen[1]) < 0.65


def test_dev_sentences_are_not_composed_for_training() -> None:
    dev = compose_reviews(500, np.random.default_rng(2), "dev")
    assert not texts(dev) & texts(TRAIN)
    assert len(texts(dev)) > 300


def test_own_sentences_are_many_balanced_and_never_composed() -> None:
    rows = {split: order_sensitive(split) for split in ("dev", "test")}
    assert len(rows["test"]) >= 200
    assert 0.4 < np.mean([row.label for row in rows["test"]]) < 0.6
    own = [row.text for split in rows.values() for row in split]
    assert len(own) == len(set(own))
    composed = {text.lower().rstrip(".!") for text in texts(TRAIN)}
    assert not [row for row in rows["test"] if row.text.lower().rstrip(".!") in composed]
