"""A bag-of-words classifier on the same data: what word order is worth is the distance to it.

Logistic regression over the presence of words (scikit-learn), its one setting chosen on the dev
sets. It is trained and reported, never served.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from training.config import SentimentExperiment
from training.data.composition import compose_reviews
from training.data.reviews import Review, read_reviews
from training.errors import OutputError
from training.judgements import Judgements
from training.reports.parts import Part, Table

_FILE = "baseline.json"
_STRENGTHS = (0.03, 0.1, 0.3, 1.0)
"""Inverse regularization that is chosen from."""
_LEAST_COUNT = 2
_WORD = r"(?u)\b\w[\w']*\b|[!?]"


def train_baseline(experiment: SentimentExperiment, run: Path) -> dict[str, float]:
    """Accuracy in percent by test set; also written to the run, for its report.

    OutputError if the run folder cannot be written.
    """
    train = _train_reviews(experiment)
    words = CountVectorizer(binary=True, min_df=_LEAST_COUNT, token_pattern=_WORD)
    counts = words.fit_transform([review.text for review in train])
    labels = [review.label for review in train]
    models = []
    for strength in _STRENGTHS:
        fitted = LogisticRegression(C=strength, solver="liblinear").fit(counts, labels)
        models.append(make_pipeline(words, fitted))
    best = max(models, key=lambda model: _mean_accuracy(model, experiment.dev_sets))
    scores = {name: _accuracy(best, name, "test") for name in experiment.test_sets}
    try:
        run.mkdir(parents=True, exist_ok=True)
        (run / _FILE).write_text(json.dumps(scores), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{run / _FILE}: cannot be written ({error.strerror})") from error
    return scores


def baseline_parts(judged: Sequence[Judgements], run: Path) -> list[Part]:
    """The model beside the baseline, if that was trained in this run."""
    if not (run / _FILE).exists():
        return []
    scores: dict[str, float] = json.loads((run / _FILE).read_text(encoding="utf-8"))
    rows = [
        (found.dataset, f"{found.accuracy:.1f}", f"{scores[found.dataset]:.1f}")
        for found in judged
        if found.dataset in scores
    ]
    note = "Logistic regression over the words of the same training data."
    header = ("data set", "accuracy", "accuracy of the bag of words")
    return [Table("Beside a bag of words", header, rows, note)]


def _train_reviews(experiment: SentimentExperiment) -> list[Review]:
    """Every training review of the sources once, and as many composed ones as an epoch has."""
    reviews = [
        review for source in experiment.sources for review in read_reviews(source.name, "train")
    ]
    rng = np.random.default_rng(experiment.seed)
    return reviews + compose_reviews(experiment.patterns, rng)


def _mean_accuracy(model: Pipeline, names: Sequence[str]) -> float:
    return float(np.mean([_accuracy(model, name, "dev") for name in names]))


def _accuracy(model: Pipeline, name: str, split: str) -> float:
    reviews = read_reviews(name, split)
    found = model.predict([review.text for review in reviews])
    return 100 * float((found == [review.label for review in reviews]).mean())
