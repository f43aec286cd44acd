"""Named entities: people, organizations, locations, times."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from service.bundle import Bundle, Precision
from service.engine.rows import Row
from service.engine.session import Session, Tensor
from service.tasks.base import OneShotPredictor, Parameters, Prepared, probability
from service.tasks.errors import InputTooLong
from service.text.characters import is_blank, without_controls
from service.text.spans import Span, iob2_tags, tags_to_spans
from service.text.words import Word, WordVocabulary, split_words

VOCABULARY = "words.json"


class NerParameters(Parameters, frozen=True, forbid_unknown_fields=True):
    """No parameters yet."""


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

    def prepare(self, text: str, parameters: NerParameters) -> Prepared:
        words = [] if is_blank(text) else split_words(without_controls(text))
        if len(words) > self._limit:
            raise InputTooLong(len(words), self._limit, "words")
        rows = [ner_row(self._vocabulary, [word.text for word in words])] if words else []
        return Prepared(rows, Tagged(text, words))

    def answer(self, prepared: Prepared, values: Sequence[Any]) -> list[Entity]:
        if not values:
            return []
        tagged: Tagged = prepared.context
        tags, marginals = values[0]["tags"].tolist(), values[0]["marginals"]
        spans = tags_to_spans([self._tags[tag] for tag in tags])
        return [_entity(tagged, span, _mean_score(marginals, tags, span)) for span in spans]


def ner_row(vocabulary: WordVocabulary, words: Sequence[str]) -> Row:
    """The tagger's input of a sentence: word ids (words,) and character ids (words, chars)."""
    inputs = {"words": vocabulary.word_ids(words), "chars": vocabulary.char_ids(words)}
    return Row(inputs, len(words))


def _mean_score(marginals: Tensor, tags: list[int], span: Span) -> float:
    """Mean marginal of a span's tags; plain Python, since NumPy costs more for three numbers."""
    places = range(span.start, span.end)
    return sum(float(marginals.item(place, tags[place])) for place in places) / len(places)


def _entity(tagged: Tagged, span: Span, score: Any) -> Entity:
    start, end = tagged.words[span.start].start, tagged.words[span.end - 1].end
    return Entity(span.label, probability(score), tagged.text[start:end], start, end)
