"""One sentence on its way through the translation model: text to ids, hypothesis to text."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import regex
from numpy.typing import NDArray

from service.engine.rows import Hypothesis
from service.tasks.quality import Evidence
from service.text.alignment import (
    Link,
    Pieces,
    Span,
    WordAttention,
    align_words,
    attend_words,
    piece_spans,
    word_spans,
)
from service.text.lexicon import Lexicon
from service.text.repetition import longest_run, without_loops
from service.text.romanization import romanize
from service.text.standins import MARKS, Masked, mask, restore, unmasked_offset
from service.text.subwords import Subwords
from service.text.translation import source_ids

_HINDI = "hi"
_LETTER = regex.compile(r"(?=\p{L})\p{Devanagari}")
_LATIN_DIGITS = {0x966 + digit: str(digit) for digit in range(10)}


class Sentence(NamedTuple):
    """A sentence as the model reads it; `spans` are the characters of each id in `masked.text`.

    `romanised`: what stands for itself in Devanagari is written in Latin letters.
    """

    masked: Masked
    ids: list[int]
    spans: list[Span]
    romanised: bool = False


class Rendered(NamedTuple):
    """A translation of one sentence; links have offsets into the sentence and into `text`."""

    text: str
    links: list[Link]
    evidence: Evidence


class SentenceCodec:
    """Reads sentences of a vocabulary and writes its hypotheses.

    Stand-ins are used if the vocabulary has them: then the model was trained to copy them. With
    its lexicon names that it does not know are copied too.
    """

    def __init__(self, subwords: Subwords, lexicon: Lexicon | None) -> None:
        self._subwords, self._lexicon = subwords, lexicon
        self._masks = subwords.knows(MARKS[0])

    def read(self, texts: Sequence[str], source: str | None, target: str) -> list[Sentence]:
        """Sentences in language `source`, if it is known, that are to be written in `target`."""
        masked = [
            mask(text, self._lexicon, source or "") if self._masks else Masked(text, [])
            for text in texts
        ]
        return [
            Sentence(
                found,
                source_ids(self._subwords, pieces.ids, target),
                [(0, 0), *pieces.offsets, (len(found.text),) * 2],
                romanised=source == _HINDI != target,
            )
            for found, pieces in zip(
                masked, self._subwords.encode([found.text for found in masked]), strict=True
            )
        ]

    def unknown_names(self, text: str, language: str) -> list[Span]:
        """Where names stand that are copied because the model does not know them."""
        return self._lexicon.unknown_names(text, language) if self._lexicon else []

    def offsets(self, text: str) -> list[Span]:
        """The sub-words of a masked text."""
        return self._subwords.encode([text])[0].offsets

    def write(self, sentence: Sentence, found: Hypothesis, language: str) -> Rendered:
        """The text of a hypothesis in `language`, its loops cut and its stand-ins resolved."""
        kept = without_loops(found.ids, longest_run(sentence.ids))
        ids = [found.ids[position] for position in kept]
        output = self._subwords.decode(ids)
        weights = None if found.weights is None else found.weights[kept]
        spans = [] if weights is None else piece_spans(ids, self._subwords.decode)
        values = _values(sentence, language)
        places = {} if weights is None else _places(sentence, weights, output, spans)
        target = Masked(restore(output, len(values), places), values)
        links = []
        if weights is not None:
            attention = _attention(sentence, weights, Pieces(output, spans))
            links = _links(sentence, attention, output, target)
        lost = sum(mark not in output for mark in MARKS[: len(values)])
        evidence = Evidence(
            found.score, len(sentence.ids), len(ids), len(found.ids) - len(ids), lost
        )
        return Rendered(target.resolved(), links, evidence)

    def attention(
        self, sentence: Sentence, found: Hypothesis
    ) -> tuple[list[str], list[str], NDArray[np.float32]]:
        """Words that were read, words that were written, and the attention (written, read).

        ValueError if the hypothesis does not tell what it attended to.
        """
        if found.weights is None:
            raise ValueError("the hypothesis has no attention weights")
        output = self._subwords.decode(found.ids)
        spans = piece_spans(found.ids, self._subwords.decode)
        words = _attention(sentence, found.weights, Pieces(output, spans))
        read = [sentence.masked.text[start:end] for start, end in words.source]
        return read, [output[start:end] for start, end in words.target], words.weights

    def write_part(
        self, sentence: Sentence, ids: Sequence[int], language: str, *, whole: bool
    ) -> str:
        """The text of a hypothesis that is still growing, or is `whole`, for a stream.

        What was told is not taken back: stand-ins that the model lost follow at the end.
        """
        values = _values(sentence, language)
        kept = without_loops(ids, longest_run(sentence.ids))
        output = self._subwords.decode([ids[position] for position in kept])
        lost = [value for value, mark in zip(values, MARKS, strict=False) if mark not in output]
        return " ".join([Masked(output, values).resolved(), *(lost if whole else ())])


def _values(sentence: Sentence, language: str) -> list[str]:
    """What stand-ins stand for; only Hindi is written with Devanagari letters and digits."""
    values = sentence.masked.values
    if language == _HINDI:
        return values
    latin = [value.translate(_LATIN_DIGITS) for value in values]
    if not sentence.romanised:
        return latin
    return [_name(value) if _LETTER.match(value) else value for value in latin]


def _name(word: str) -> str:
    """A Hindi name in Latin letters, as people spell it."""
    latin = romanize(word, "informal")
    return latin[:1].upper() + latin[1:]


def _places(
    sentence: Sentence, weights: NDArray[np.float32], output: str, spans: Sequence[Span]
) -> dict[int, int]:
    """Where lost stand-ins belong: before the word that attended to them most."""
    places = {}
    for number in range(len(sentence.masked.values)):
        if MARKS[number] in output or not len(weights):
            continue
        start = sentence.masked.text.index(MARKS[number])
        column = next((i for i, (_, end) in enumerate(sentence.spans) if end > start), None)
        if column is not None:
            position = spans[int(weights[:, column].argmax())][1] - 1
            words = [span for span in word_spans(output) if span[0] <= position]
            places[number] = words[-1][0] if words else 0
    return places


def _attention(sentence: Sentence, weights: NDArray[np.float32], output: Pieces) -> WordAttention:
    return attend_words(weights, Pieces(sentence.masked.text, sentence.spans), output)


def _links(
    sentence: Sentence,
    attention: WordAttention,
    output: str,
    target: Masked,
) -> list[Link]:
    """Word links with offsets into the sentence and into the resolved translation.

    Stand-ins that were set in or left out move the words: they are found again in their order.
    """
    source = sentence.masked
    moved = _moved_words(output, target.text)
    return [
        Link(_resolved(source, link.source), _resolved(target, moved[link.target]), link.weight)
        for link in align_words(attention)
        if link.target in moved
    ]


def _moved_words(output: str, restored: str) -> dict[Span, Span]:
    """The words of `output` and where they stand in `restored`."""
    moved: dict[Span, Span] = {}
    places = word_spans(restored)
    at = 0
    for start, end in word_spans(output):
        same = (
            i for i in range(at, len(places)) if restored[slice(*places[i])] == output[start:end]
        )
        found = next(same, None)
        if found is not None:
            moved[start, end] = places[found]
            at = found + 1
    return moved


def _resolved(masked: Masked, span: Span) -> Span:
    return unmasked_offset(masked, span[0]), unmasked_offset(masked, span[1])
