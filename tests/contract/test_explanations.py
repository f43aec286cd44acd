"""Explanations of the shipped classifier: true to the text, and faithful to the model."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.bundle import find_bundles, load_bundle
from service.tasks.base import Predictor
from service.tasks.registry import open_predictor
from service.tasks.sentiment import SentimentParameters
from training.data.reviews import order_sensitive
from training.reports.sentiment import Order, deletion_curve

ROOT = Path(__file__).parents[2] / "exported_models"
TEXTS = [row.text for row in order_sensitive("dev") if len(row.text.split()) > 6]


@cache
def predictor() -> Predictor[Any]:
    return open_predictor(load_bundle(find_bundles(ROOT)["sentiment"]), "cpu", "fp32")


def remaining(order: Order) -> float:
    """Mean probability of the first answer over the steps of a deletion."""
    return float(np.mean([score for _, score in deletion_curve(predictor(), TEXTS, order)]))


def test_deleting_the_heaviest_words_changes_the_answer_most() -> None:
    rng = np.random.default_rng(0)
    heaviest = remaining(lambda weights: np.argsort(-weights))
    chance = remaining(lambda weights: rng.permutation(len(weights)))
    lightest = remaining(np.argsort)
    assert heaviest < chance - 0.05
    assert lightest > chance + 0.05


@pytest.mark.parametrize(
    "text", ["No, this is fine!", "caf\u00e9 \U0001f600 isn\u2019t bad\tat all"]
)
def test_explained_words_slice_the_callers_string(text: str) -> None:
    [answer] = predictor().predict([text], SentimentParameters(explain=True))
    assert answer[0].words
    assert all(text[word.start : word.end] == word.word for word in answer[0].words)


def test_an_explanation_does_not_change_the_answer() -> None:
    explained = predictor().predict(TEXTS[:8], SentimentParameters(explain=True))
    plain = predictor().predict(TEXTS[:8], SentimentParameters())
    for one, other in zip(explained, plain, strict=True):
        assert [(part.label, part.score) for part in one] == [
            (part.label, part.score) for part in other
        ]
