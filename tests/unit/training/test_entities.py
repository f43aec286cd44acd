"""Counting of served entities, against seqeval and by hand."""

import pytest
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2

from service.text.spans import Span, spans_to_tags
from training.data.conll import TaggedSentence
from training.entities import Answered, calibration_error, confidences, count, lowered, total

SENTENCES = [
    TaggedSentence(("Anna", "Lee", "left", "Rome"), ("B-PER", "I-PER", "O", "B-LOC")),
    TaggedSentence(("In", "May", "it", "rained"), ("O", "B-TIME", "O", "O")),
]
FOUND = [
    {Span("PER", 0, 2): 0.9, Span("ORG", 3, 4): 0.6},
    {Span("TIME", 1, 2): 0.8},
]
ANSWERED = [Answered(s, found) for s, found in zip(SENTENCES, FOUND, strict=True)]


def test_f1_equals_seqeval() -> None:
    gold = [list(sentence.tags) for sentence in SENTENCES]
    found = [spans_to_tags(list(spans), 4) for spans in FOUND]
    expected = 100 * f1_score(gold, found, mode="strict", scheme=IOB2)
    assert count(ANSWERED).f1 == pytest.approx(expected)
    assert total([count([one]) for one in ANSWERED]) == count(ANSWERED)


def test_one_type_is_counted_alone() -> None:
    counts = count(ANSWERED, keep=lambda span: span.label == "LOC")
    assert (counts.right, counts.found, counts.expected) == (0, 0, 1)
    assert counts.f1 == 0


def test_confidence_stands_beside_what_was_right() -> None:
    scores, right = confidences(ANSWERED)
    assert scores.tolist() == [0.9, 0.6, 0.8]
    assert right.tolist() == [True, False, True]
    assert calibration_error(ANSWERED) == pytest.approx(100 * (0.1 + 0.6 + 0.2) / 3)


def test_no_answer_is_no_calibration_error() -> None:
    assert calibration_error([Answered(SENTENCES[0], {})]) == 0


def test_lowering_keeps_offsets() -> None:
    text = "İstanbul and ROME"
    assert len(lowered(text)) == len(text)
    assert lowered(text).endswith("and rome")
