"""Sentiment of a text: positive or negative, with probabilities."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from service.bundle import Bundle, Precision
from service.engine.rows import Row
from service.engine.session import Session
from service.tasks.base import OneShotPredictor, Parameters, Prepared, probability
from service.tasks.errors import BlankText, InputTooLong, TooManyExplained
from service.tasks.explanation import (
    MOST_EXPLAINED,
    Explained,
    WordWeight,
    occlude,
    word_weights,
)
from service.text.characters import is_blank, without_controls
from service.text.subwords import Subwords

VOCABULARY = "subwords.json"


class SentimentParameters(Parameters, frozen=True, forbid_unknown_fields=True):
    """With `explain`, the answer says how much each word speaks for it."""

    explain: bool = False


class LabelScore(msgspec.Struct, frozen=True):
    """A label with its probability; where asked for, the first one with its words' weights."""

    label: str
    score: float
    words: list[WordWeight] | msgspec.UnsetType = msgspec.UNSET


class SentimentPredictor(OneShotPredictor[SentimentParameters]):
    parameters = SentimentParameters
    answers = list[LabelScore]

    def __init__(self, bundle: Bundle, session: Session, precision: Precision) -> None:
        super().__init__(bundle, session, precision)
        self._subwords = Subwords.load(bundle.file(VOCABULARY))
        self._limit = bundle.manifest.limits.longest_input

    def check_call(self, texts: int, parameters: SentimentParameters) -> None:
        """An explanation costs as much as many texts: few of them go into a call."""
        if parameters.explain and texts > MOST_EXPLAINED:
            raise TooManyExplained(texts, MOST_EXPLAINED)

    def prepare(self, text: str, parameters: SentimentParameters) -> Prepared:
        """One row; for an explanation one more for each word, or group of words, left out."""
        if is_blank(text):
            raise BlankText
        pieces = self._subwords.encode([without_controls(text)])[0]
        if len(pieces.ids) > self._limit:
            raise InputTooLong(len(pieces.ids), self._limit, "sub-words")
        ids = np.array(pieces.ids, np.int64)
        explained = occlude(text, pieces) if parameters.explain else None
        variants = [ids, *explained.variants] if explained else [ids]
        return Prepared([Row({"ids": found}, len(found)) for found in variants], explained)

    def answer(self, prepared: Prepared, values: Sequence[Any]) -> list[LabelScore]:
        """Labels with their probabilities, highest first."""
        scores = np.stack([value["probabilities"] for value in values])
        order = np.argsort(-scores[0], kind="stable").tolist()
        labels = self.bundle.manifest.labels
        found = [LabelScore(labels[i], probability(scores[0, i])) for i in order]
        explained: Explained | None = prepared.context
        if explained is not None:
            weights = word_weights(explained, scores[:, order[0]])
            found[0] = LabelScore(found[0].label, found[0].score, weights)
        return found
