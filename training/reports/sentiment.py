"""What a report page tells of a classifier: confusion, length, order, calibration, errors."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.tasks.base import Predictor
from service.tasks.sentiment import SentimentParameters
from training.data.reviews import LABELS, OWN_SENTENCES, order_sensitive
from training.judgements import Judgements
from training.reports.figures import bars, confusion, curves, reliability
from training.reports.parts import ErrorCase, Figure, HardestErrors, Part, Table

_SHOWN_ERRORS = 25
_LONGEST_SHOWN = 600
_LENGTHS = (0, 5, 10, 20, 40, 80, 160, 320, 10**6)
_EXPLAINED_ROWS = 150
_DELETED_SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)

Order = Callable[[NDArray[np.float64]], NDArray[np.int64]]


def sentiment_parts(predictor: Predictor[Any], judged: Sequence[Judgements]) -> list[Part]:
    """Parts over the test sets of an experiment, from served answers."""
    return [
        *(_confusion(found) for found in judged),
        _by_length(judged),
        *(_by_phenomenon(found) for found in judged if found.dataset == OWN_SENTENCES),
        _reliability(judged),
        _deletion(predictor, judged),
        _hardest(judged),
    ]


def _confusion(judged: Judgements) -> Figure:
    counts = np.zeros((2, 2), np.int64)
    np.add.at(counts, (judged.labels, judged.found), 1)
    return Figure(f"Confusion, {judged.dataset}", confusion(LABELS, counts))


def _by_length(judged: Sequence[Judgements]) -> Figure:
    lengths = np.array([len(row.text.split()) for found in judged for row in found.reviews])
    right = np.concatenate([found.right for found in judged])
    values: dict[str, float] = {}
    for low, high in itertools.pairwise(_LENGTHS):
        chosen = (lengths > low) & (lengths <= high)
        if chosen.any():
            name = f"{low + 1}-{high}" if high < _LENGTHS[-1] else f"over {low}"
            values[name] = 100 * float(right[chosen].mean())
    return Figure("Accuracy by words", bars(values, y_label="accuracy, %"), "All test sets.")


def _by_phenomenon(judged: Judgements) -> Table:
    kinds = np.array([row.phenomenon for row in order_sensitive("test")])
    rows = [
        (kind, str(int((kinds == kind).sum())), f"{100 * judged.right[kinds == kind].mean():.1f}")
        for kind in dict.fromkeys(kinds.tolist())
    ]
    note = "Own sentences whose label hangs on the order of their words; never trained on."
    return Table("Order-sensitive sentences", ("phenomenon", "rows", "accuracy"), rows, note)


def _reliability(judged: Sequence[Judgements]) -> Figure:
    confidences = np.concatenate([found.confidences for found in judged])
    right = np.concatenate([found.right for found in judged])
    note = "All test sets; the temperature was fitted on the dev sets."
    return Figure("Calibration", reliability(confidences, right), note)


def _deletion(predictor: Predictor[Any], judged: Sequence[Judgements]) -> Figure:
    """Probability of the answer while words are deleted: by weight, by chance, least first."""
    texts = [row.text for found in judged for row in found.reviews if len(row.text.split()) > 4]
    texts = texts[:: max(1, len(texts) // _EXPLAINED_ROWS)][:_EXPLAINED_ROWS]
    rng = np.random.default_rng(0)
    orders: dict[str, Order] = {
        "highest weights": lambda weights: np.argsort(-weights),
        "any words": lambda weights: rng.permutation(len(weights)),
        "lowest weights": np.argsort,
    }
    lines = {name: deletion_curve(predictor, texts, order) for name, order in orders.items()}
    drawing = curves(lines, y_label="probability of the answer", x_label="share of words deleted")
    note = f"{len(texts)} test texts: faithful weights make the first curve fall fastest."
    return Figure("Deletion test of the explanations", drawing, note)


def deletion_curve(
    predictor: Predictor[Any], texts: Sequence[str], order: Order
) -> list[tuple[float, float]]:
    """(share of words deleted, mean probability of the label answered to the whole text).

    `order` gives the places of the words, first to be deleted first, from their weights.
    """
    answers = predictor.predict(texts, SentimentParameters(explain=True))
    heads = [answer[0] for answer in answers]
    orders = [order(np.array([word.weight for word in head.words])) for head in heads]
    points = []
    for share in _DELETED_SHARES:
        left = [
            _without(text, [head.words[i] for i in places[: int(share * len(places))]])
            for text, head, places in zip(texts, heads, orders, strict=True)
        ]
        found = predictor.predict(left, SentimentParameters())
        scores = [
            next(part.score for part in answer if part.label == head.label)
            for answer, head in zip(found, heads, strict=True)
        ]
        points.append((share, float(np.mean(scores))))
    return points


def _without(text: str, words: Sequence[Any]) -> str:
    for word in sorted(words, key=lambda word: -word.start):
        text = text[: word.start] + text[word.end :]
    return text


def _hardest(judged: Sequence[Judgements]) -> HardestErrors:
    cases = [
        ErrorCase(
            f"[{found.dataset}] {row.text[:_LONGEST_SHOWN]}",
            LABELS[row.label],
            LABELS[1 - row.label],
            float(score),
        )
        for found in judged
        for row, right, score in zip(found.reviews, found.right, found.confidences, strict=True)
        if not right
    ]
    cases.sort(key=lambda case: -case.score)
    return HardestErrors("Hardest errors", cases[:_SHOWN_ERRORS], "Wrong answers, surest first.")
