"""Sentiment of a text: positive or negative, with probabilities."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from service.bundle import Bundle, Precision
from service.engine.rows import Row
from service.engine.session import Session
from service.tasks.base import OneShotPredictor, Parameters, Prepared, probability
from service.tasks.errors import BlankText, InputTooLong
from service.text.characters import is_blank, without_controls
from service.text.subwords import Subwords

VOCABULARY = "subwords.json"


class SentimentParameters(Parameters, frozen=True, forbid_unknown_fields=True):
    """No parameters yet."""


class LabelScore(msgspec.Struct, frozen=True):
    """A label with its probability."""

    label: str
    score: float


class SentimentPredictor(OneShotPredictor[SentimentParameters]):
    parameters = SentimentParameters
    answers = list[LabelScore]

    def __init__(self, bundle: Bundle, session: Session, precision: Precision) -> None:
        super().__init__(bundle, session, precision)
        self._subwords = Subwords.load(bundle.file(VOCABULARY))
        self._limit = bundle.manifest.limits.longest_input

    def prepare(self, text: str, parameters: SentimentParameters) -> Prepared:
        if is_blank(text):
            raise BlankText
        pieces = self._subwords.encode([without_controls(text)])[0].ids
        if len(pieces) > self._limit:
            raise InputTooLong(len(pieces), self._limit, "sub-words")
        return Prepared([Row({"ids": np.array(pieces, np.int64)}, len(pieces))], None)

    def answer(self, prepared: Prepared, values: Sequence[Any]) -> list[LabelScore]:
        """Labels with their probabilities, highest first."""
        scores = values[0]["probabilities"].tolist()
        pairs = zip(self.bundle.manifest.labels, scores, strict=True)
        found = [LabelScore(label, probability(score)) for label, score in pairs]
        return sorted(found, key=lambda pair: pair.score, reverse=True)
