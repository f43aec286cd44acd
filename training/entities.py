"""Served entities against a corpus: what was found, what was right, and how sure it was."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.tasks.base import Predictor
from service.tasks.ner import NerParameters
from service.text.spans import Span, tags_to_spans
from training.data.conll import TaggedSentence, to_spans, unannotated
from training.reports.figures import expected_calibration_error


class Answered(NamedTuple):
    """A sentence, the spans (in its tokens) that the service found, and their scores."""

    sentence: TaggedSentence
    found: dict[Span, float]

    @property
    def expected(self) -> set[Span]:
        return set(tags_to_spans(self.sentence.tags))


class Counts(NamedTuple):
    """Entities that are right, found and expected."""

    right: int
    found: int
    expected: int

    @property
    def f1(self) -> float:
        """In percent; 0 where nothing is expected."""
        total = self.found + self.expected
        return 200 * self.right / total if total else 0.0


def answer(
    predictor: Predictor[Any],
    sentences: Sequence[TaggedSentence],
    parameters: NerParameters,
    *,
    silent: frozenset[str] = frozenset(),
    rewrite: Callable[[str], str] = str,
) -> list[Answered]:
    """Served answers to `rewrite` of each sentence, which must keep its length.

    Entities of `silent` types, which the corpus does not mark, are left out.
    """
    texts = [rewrite(sentence.text) for sentence in sentences]
    answers = predictor.predict(texts, parameters)
    return [
        Answered(sentence, _on_tokens(sentence, entities, silent))
        for sentence, entities in zip(sentences, answers, strict=True)
    ]


def lowered(text: str) -> str:
    """Lower case, letter by letter, so that offsets stay: İ has no lower letter of its own."""
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


def total(counts: Iterable[Counts]) -> Counts:
    """Sums over sentences: micro-averaged, as conlleval does."""
    rights, founds, expected = zip(*counts, strict=True)
    return Counts(sum(rights), sum(founds), sum(expected))


def count(answered: Sequence[Answered], keep: Callable[[Span], bool] = lambda _: True) -> Counts:
    """Counts of the entities that `keep` lets through."""
    right = found = expected = 0
    for one in answered:
        theirs, ours = one.expected, one.found.keys()
        right += sum(keep(span) for span in theirs & ours)
        found += sum(keep(span) for span in ours)
        expected += sum(keep(span) for span in theirs)
    return Counts(right, found, expected)


def confidences(
    answered: Sequence[Answered],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Score of every found entity, and whether it is right: (entities,) each."""
    pairs = [(score, span in one.expected) for one in answered for span, score in one.found.items()]
    scores = np.array([score for score, _ in pairs], np.float64)
    return scores, np.array([right for _, right in pairs], np.bool_)


def calibration_error(answered: Sequence[Answered]) -> float:
    """Expected calibration error in percent."""
    return 100 * expected_calibration_error(*confidences(answered))


def silent_types(source: str, labels: Sequence[str]) -> frozenset[str]:
    """Types that a source does not mark; none for made sentences (source "")."""
    return unannotated(source, labels) if source else frozenset()


def _on_tokens(
    sentence: TaggedSentence, entities: Sequence[Any], silent: frozenset[str]
) -> dict[Span, float]:
    return dict(_scored_spans(sentence, [e for e in entities if e.entity_group not in silent]))


def _scored_spans(
    sentence: TaggedSentence, entities: Sequence[Any]
) -> Iterator[tuple[Span, float]]:
    """Spans in tokens; two entities in one token are one span, the first's."""
    spans = to_spans(sentence, [(e.entity_group, e.start, e.end) for e in entities])
    end = 0
    for span, entity in zip(spans, entities, strict=True):
        if span is not None and span.start >= end:
            end = span.end
            yield span, entity.score
