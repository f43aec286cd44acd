"""Report parts of an entity tagger."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from service.text.spans import Span
from training.entities import Answered, calibration_error, confidences, count
from training.reports.figures import bars, confusion, reliability
from training.reports.parts import ErrorCase, Figure, HardestErrors, Part, Table

_NONE = "none"
_LENGTHS = (10, 20, 30, 40)
"""Upper bounds of the groups of sentences by their tokens; the last group has no bound."""
_SHOWN_ERRORS = 15


def entity_parts(answered: Mapping[str, Sequence[Answered]], labels: Sequence[str]) -> list[Part]:
    """Parts from each set's answers under the general convention, read on its test split."""
    by_source = {name: count(found).f1 for name, found in answered.items()}
    parts: list[Part] = [Figure("F1 by source", bars(by_source, y_label="F1"))]
    for name, found in answered.items():
        parts += [
            _by_type(name, found, labels),
            Figure(f"{name}: F1 by length of the sentence", bars(_by_length(found), y_label="F1")),
            _confusion(name, found, labels),
            _reliability(name, found),
            _hardest(name, found),
        ]
    return parts


def _by_type(name: str, answered: Sequence[Answered], labels: Sequence[str]) -> Table:
    rows = []
    for label in labels:
        counts = count(answered, keep=lambda span, label=label: span.label == label)  # type: ignore[misc]
        if counts.expected:
            precision = 100 * counts.right / max(1, counts.found)
            recall = 100 * counts.right / counts.expected
            figures = (f"{value:.1f}" for value in (precision, recall, counts.f1))
            rows.append((label, *figures, str(counts.expected)))
    return Table(f"{name}: by type", ("type", "precision", "recall", "F1", "entities"), rows)


def _by_length(answered: Sequence[Answered]) -> dict[str, float]:
    groups: dict[str, list[Answered]] = {}
    for one in answered:
        groups.setdefault(_length_group(len(one.sentence.tokens)), []).append(one)
    order = sorted(groups, key=lambda group: int(group.split()[-1]))
    return {group: count(groups[group]).f1 for group in order}


def _length_group(tokens: int) -> str:
    for bound in _LENGTHS:
        if tokens <= bound:
            return f"to {bound}"
    return f"over {_LENGTHS[-1]}"


def _confusion(name: str, answered: Sequence[Answered], labels: Sequence[str]) -> Figure:
    """Types of spans with equal bounds; what only one side has stands against `none`."""
    names = [*labels, _NONE]
    pairs: Counter[tuple[str, str]] = Counter()
    for one in answered:
        expected = {(span.start, span.end): span.label for span in one.expected}
        found = {(span.start, span.end): span.label for span in one.found}
        for bounds in expected.keys() | found.keys():
            pairs[expected.get(bounds, _NONE), found.get(bounds, _NONE)] += 1
    counts = np.array([[pairs[true, said] for said in names] for true in names])
    note = "Spans with the same bounds; other bounds count as not found and as found for nothing."
    return Figure(f"{name}: confusion", confusion(names, counts), note)


def _reliability(name: str, answered: Sequence[Answered]) -> Figure:
    error = calibration_error(answered)
    note = f"Expected calibration error {error:.2f} %, ten bins of equal width."
    return Figure(f"{name}: calibration", reliability(*confidences(answered)), note)


def _hardest(name: str, answered: Sequence[Answered]) -> HardestErrors:
    wrong = [
        (score, one, span)
        for one in answered
        for span, score in one.found.items()
        if span not in one.expected
    ]
    wrong.sort(key=lambda case: -case[0])
    cases = [
        ErrorCase(one.sentence.text, _overlapping(one, span), _written(one, span), score)
        for score, one, span in wrong[:_SHOWN_ERRORS]
    ]
    return HardestErrors(f"{name}: hardest errors", cases, "Wrong entities, the surest first.")


def _overlapping(one: Answered, span: Span) -> str:
    """What the corpus has where the span lies."""
    met = sorted(s for s in one.expected if s.start < span.end and span.start < s.end)
    return "; ".join(_written(one, other) for other in met) or _NONE


def _written(one: Answered, span: Span) -> str:
    return f"{' '.join(one.sentence.tokens[span.start : span.end])} ({span.label})"
