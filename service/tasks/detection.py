"""Language of a text: labels with probabilities."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import numpy as np

from service.bundle import Bundle, Precision
from service.engine.rows import Row
from service.engine.session import Session
from service.tasks.base import OneShotPredictor, Parameters, Prepared, probability
from service.tasks.errors import BlankText, NoLetters
from service.text.alphabet import Alphabet
from service.text.characters import is_blank
from service.text.detection import grams, has_letters, plain, windows

VOCABULARY = "characters.json"
_TOP_K = 5


class DetectionParameters(Parameters, frozen=True, forbid_unknown_fields=True):
    """How many languages to name, 5 if left out."""

    top_k: Annotated[int, msgspec.Meta(ge=1)] | None = None


class LanguageScore(msgspec.Struct, frozen=True):
    """A language code (BCP 47; `hi-Latn` is Hindi in Latin letters) with its probability."""

    label: str
    score: float


class DetectionPredictor(OneShotPredictor[DetectionParameters]):
    """The language of a text, with probabilities."""

    parameters = DetectionParameters
    answers = list[LanguageScore]

    def __init__(self, bundle: Bundle, session: Session, precision: Precision) -> None:
        super().__init__(bundle, session, precision)
        self._alphabet = Alphabet.load(bundle.file(VOCABULARY))

    def prepare(self, text: str, parameters: DetectionParameters) -> Prepared:
        """One row a window. BlankText, or NoLetters for digits, punctuation and emoji alone."""
        if is_blank(text):
            raise BlankText
        cleaned = plain(text)
        if not has_letters(cleaned):
            # Addresses and the like have letters, if nothing else does.
            cleaned = text.lower()
        if not has_letters(cleaned):
            raise NoLetters
        return Prepared(
            [detection_row(self._alphabet, part) for part in windows(cleaned)], parameters
        )

    def answer(self, prepared: Prepared, values: Sequence[Any]) -> list[LanguageScore]:
        """Mean probabilities over the windows, highest first."""
        parameters: DetectionParameters = prepared.context
        means = np.mean([value["probabilities"] for value in values], axis=0)
        best = np.argsort(-means, kind="stable")[: parameters.top_k or _TOP_K].tolist()
        labels = self.bundle.manifest.labels
        return [LanguageScore(labels[i], probability(means[i])) for i in best]


def detection_row(alphabet: Alphabet, text: str) -> Row:
    """The detector's input: character ids (time,) and n-gram hashes (time, orders)."""
    return Row({"characters": alphabet.ids(text), "grams": grams(text)}, len(text))
