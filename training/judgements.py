"""A classifier's answers to a labelled set, and the figures that they give."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.tasks.base import Predictor
from service.tasks.sentiment import SentimentParameters
from training.data.reviews import LABELS, Review, read_reviews
from training.reports.figures import expected_calibration_error


class Judgements(NamedTuple):
    """Reviews of one set, and the probability (rows,) that each is positive."""

    dataset: str
    reviews: list[Review]
    positive: NDArray[np.float64]

    @property
    def labels(self) -> NDArray[np.int64]:
        """(rows,), 1 for positive."""
        return np.array([review.label for review in self.reviews])

    @property
    def found(self) -> NDArray[np.int64]:
        """The labels that were answered (rows,)."""
        return (self.positive >= 0.5).astype(np.int64)

    @property
    def right(self) -> NDArray[np.bool_]:
        """(rows,)"""
        found: NDArray[np.bool_] = self.found == self.labels
        return found

    @property
    def accuracy(self) -> float:
        """In percent."""
        return 100 * float(self.right.mean())

    @property
    def calibration_error(self) -> float:
        """Expected calibration error in percent."""
        return 100 * expected_calibration_error(self.confidences, self.right)

    @property
    def confidences(self) -> NDArray[np.float64]:
        """Probability of the label that was answered (rows,)."""
        return np.maximum(self.positive, 1 - self.positive)


def judge(predictor: Predictor[Any], name: str, split: str) -> Judgements:
    """Served answers to a set; reviews that the service would refuse as blank are left out."""
    reviews = [review for review in read_reviews(name, split) if review.text.strip()]
    answers = predictor.predict([review.text for review in reviews], SentimentParameters())
    scores = [{found.label: found.score for found in answer} for answer in answers]
    return Judgements(name, reviews, np.array([score[LABELS[1]] for score in scores]))
