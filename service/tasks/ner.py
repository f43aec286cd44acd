"""Named entities: people, organizations, locations, times."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from service.bundle import Bundle, Precision
from service.engine.rows import Row
from service.engine.session import Session, Tensor
from service.tasks.base import OneShotPredictor, Parameters, Prepared, probability
from service.tasks.errors import InputTooLong, UnknownConvention
from service.text.characters import is_blank, without_controls
from service.text.spans import Span, iob2_tags, tags_to_spans
from service.text.words import Word, WordVocabulary, split_words

VOCABULARY = "words.json"
GENERAL = "general"
"""The convention of who asks for none: as the corpus would that the text looks like."""


class NerParameters(Parameters, frozen=True, forbid_unknown_fields=True):
    """`convention`: read entities as one of the model's sources does."""

    convention: str = GENERAL


class Entity(msgspec.Struct, frozen=True):
    """`word` is `text[start:end]` of the caller's string; `score` is a probability."""

    entity_group: str
    score: float
    word: str
    start: int
    end: int


class Tagged(NamedTuple):
    """A text and its words, as the tagger saw them."""

    text: str
    words: list[Word]


class NerPredictor(OneShotPredictor[NerParameters]):
    parameters = NerParameters
    answers = list[Entity]

    def __init__(self, bundle: Bundle, session: Session, precision: Precision) -> None:
        super().__init__(bundle, session, precision)
        self._vocabulary = WordVocabulary.load(bundle.file(VOCABULARY))
        self._tags = iob2_tags(bundle.manifest.labels)
        self._limit = bundle.manifest.limits.longest_input
        self._conventions = str(bundle.manifest.text.get("conventions", GENERAL)).split()
        self._asks = any(
            spec.name == "convention" for spec in bundle.manifest.graphs["model"].inputs
        )

    def prepare(self, text: str, parameters: NerParameters) -> Prepared:
        words = [] if is_blank(text) else split_words(without_controls(text))
        if len(words) > self._limit:
            raise InputTooLong(len(words), self._limit, "words")
        convention = self._convention(parameters.convention)
        spelt = [word.text for word in words]
        rows = [ner_row(self._vocabulary, spelt, convention)] if words else []
        return Prepared(rows, Tagged(text, words))

    def _convention(self, name: str) -> int | None:
        """Its id; None where the graph knows no conventions."""
        if name not in self._conventions:
            raise UnknownConvention(name, self._conventions)
        return self._conventions.index(name) if self._asks else None

    def answer(self, prepared: Prepared, values: Sequence[Any]) -> list[Entity]:
        if not values:
            return []
        tagged: Tagged = prepared.context
        tags, marginals = values[0]["tags"].tolist(), values[0]["marginals"]
        spans = tags_to_spans([self._tags[tag] for tag in tags])
        return [_entity(tagged, span, _mean_score(marginals, tags, span)) for span in spans]


def ner_row(vocabulary: WordVocabulary, words: Sequence[str], convention: int | None = None) -> Row:
    """The tagger's input of a sentence: word ids (words,), character ids (words, chars), and the
    convention's id (1,) where the graph has conventions."""
    inputs = {"words": vocabulary.word_ids(words), "chars": vocabulary.char_ids(words)}
    if convention is not None:
        inputs["convention"] = np.array([convention], np.int64)
    return Row(inputs, len(words))


def _mean_score(marginals: Tensor, tags: list[int], span: Span) -> float:
    """Mean marginal of a span's tags; plain Python, since NumPy costs more for three numbers."""
    places = range(span.start, span.end)
    return sum(float(marginals.item(place, tags[place])) for place in places) / len(places)


def _entity(tagged: Tagged, span: Span, score: Any) -> Entity:
    start, end = tagged.words[span.start].start, tagged.words[span.end - 1].end
    return Entity(span.label, probability(score), tagged.text[start:end], start, end)
