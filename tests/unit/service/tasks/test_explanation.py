"""Explanations: which rows they ask for, and how answers become weights of words."""

import math

import numpy as np
import pytest

from service.tasks.explanation import MOST_TOKENS, occlude, word_weights
from service.text.subwords import BOS_ID, Pieces, Subwords

TEXTS = ["the fan was broken when it arrived", "nothing to like here, it isn't good"]
SUBWORDS = Subwords.train(TEXTS, 400, lowercase=True, rejoin=True)


def pieces_of(text: str) -> Pieces:
    return SUBWORDS.encode([text])[0]


def spans_of(text: str) -> list[str]:
    groups = occlude(text, pieces_of(text)).groups
    assert all(text[word.start : word.end] == word.text for group in groups for word in group)
    return [word.text for group in groups for word in group]


@pytest.mark.parametrize(
    "text,words",
    [
        ("The fan, was (broken)!", ["The", "fan", "was", "broken"]),
        ("It isn't good", ["It", "isn't", "good"]),
        ("it is n't good", ["it", "is", "n't", "good"]),
        ("state-of-the-art?", ["state-of-the-art"]),
        ("\U0001f600 good", ["\U0001f600", "good"]),
        ("?! ...", ["?!", "..."]),
        ("क्या अच्छा", ["क्या", "अच्छा"]),
    ],
)
def test_words_are_split_from_the_marks_around_them(text: str, words: list[str]) -> None:
    assert spans_of(text) == words


def test_a_variant_hides_one_word_and_keeps_the_others() -> None:
    text = "nothing to like"
    pieces = pieces_of(text)
    explained = occlude(text, pieces)
    for [word], variant in zip(explained.groups, explained.variants, strict=True):
        assert len(variant) == len(pieces.ids)
        for was, now, (start, end) in zip(pieces.ids, variant, pieces.offsets, strict=True):
            inside = start < word.end and end > word.start
            assert now == (BOS_ID if inside else was)


def test_the_cost_of_a_long_text_is_bounded() -> None:
    text = "nothing to like here " * 200
    explained = occlude(text, pieces_of(text))
    assert sum(map(len, explained.variants)) <= MOST_TOKENS
    assert sum(map(len, explained.groups)) == 800


def test_a_weight_is_the_loss_of_log_odds() -> None:
    text = "to like"
    explained = occlude(text, pieces_of(text))
    found = word_weights(explained, np.array([0.8, 0.5, 0.8], np.float32))
    assert [word.word for word in found] == ["to", "like"]
    assert found[0].weight == pytest.approx(math.log(4), abs=1e-5)
    assert found[1].weight == pytest.approx(0, abs=1e-5)


def test_certain_answers_have_finite_weights() -> None:
    text = "to like"
    found = word_weights(occlude(text, pieces_of(text)), np.array([1, 0, 1], np.float32))
    assert all(math.isfinite(word.weight) for word in found)


def test_words_that_are_hidden_together_share_their_weight() -> None:
    text = "nothing to like here " * 200
    explained = occlude(text, pieces_of(text))
    scores = np.full(len(explained.variants) + 1, 0.5, np.float32)
    scores[1] = 0.2
    first = explained.groups[0]
    found = word_weights(explained, scores)[: len(first)]
    assert sum(word.weight for word in found) == pytest.approx(math.log(4), abs=1e-3)
    assert len({word.weight for word in found}) == 1
