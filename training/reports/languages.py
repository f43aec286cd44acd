"""What a report tells of language detection: how often, where and how surely it errs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.reports.figures import bars, confusion, reliability
from training.reports.parts import ErrorCase, Figure, HardestErrors, Part, Table

_MOST_CONFUSIONS = 12
_MOST_ERRORS = 30
_LETTER_BOUNDS = (10, 20, 40, 80)


class Detected(NamedTuple):
    """A text, its language, and the one that was found with its probability."""

    text: str
    truth: str
    found: str
    score: float

    @property
    def right(self) -> bool:
        return self.truth == self.found


def language_parts(
    whole: Sequence[Detected], short: Mapping[int, Sequence[Detected]], labels: Sequence[str]
) -> list[Part]:
    """Parts about whole sentences, and about the first words of them by their number."""
    by_length = {f"{count} words": found for count, found in short.items()}
    groups = {**by_length, "whole sentences": whole}
    return [
        Figure("Accuracy by words", bars(accuracies(groups), y_label="percent")),
        Figure("Accuracy by characters", bars(accuracies(by_characters(whole)), y_label="percent")),
        *(_confusions(name, found) for name, found in groups.items()),
        Figure("Confusion, whole sentences", confusion(labels, confusion_counts(whole, labels))),
        _by_language(groups, labels),
        _calibration(whole),
        _hardest(whole),
    ]


def accuracies(groups: Mapping[str, Sequence[Detected]]) -> dict[str, float]:
    """Percent of right answers of each group."""
    return {
        name: 100 * sum(one.right for one in found) / len(found) for name, found in groups.items()
    }


def confusion_counts(found: Sequence[Detected], labels: Sequence[str]) -> NDArray[np.int64]:
    """(labels, labels): rows are the truth, columns the answers."""
    places = {label: i for i, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), np.int64)
    for one in found:
        counts[places[one.truth], places[one.found]] += 1
    return counts


def by_characters(found: Sequence[Detected]) -> dict[str, list[Detected]]:
    """Groups by length; none of them is empty."""
    groups: dict[str, list[Detected]] = {}
    for low, high in zip((0, *_LETTER_BOUNDS), (*_LETTER_BOUNDS, None), strict=True):
        name = f"{low} to {high - 1}" if high else f"{low} or more"
        inside = [one for one in found if low <= len(one.text) < (high or np.inf)]
        if inside:
            groups[name] = inside
    return groups


def _confusions(name: str, found: Sequence[Detected]) -> Table:
    """Pairs of languages that are taken for each other most often."""
    pairs = Counter((one.truth, one.found) for one in found if not one.right)
    totals = Counter(one.truth for one in found)
    rows = [
        (truth, other, str(count), f"{100 * count / totals[truth]:.1f}")
        for (truth, other), count in pairs.most_common(_MOST_CONFUSIONS)
    ]
    header = ("true", "found", "texts", "percent of the true")
    return Table(f"Most frequent confusions, {name}", header, rows)


def _by_language(groups: Mapping[str, Sequence[Detected]], labels: Sequence[str]) -> Table:
    """Share of each language's texts that are found, by length; `-` where there are none."""
    rows = []
    for label in labels:
        own = [[one.right for one in found if one.truth == label] for found in groups.values()]
        rows.append((label, *(f"{100 * np.mean(right):.1f}" if right else "-" for right in own)))
    return Table("Recall by language and length, percent", ("language", *groups), rows)


def _calibration(found: Sequence[Detected]) -> Figure:
    scores = np.array([one.score for one in found])
    right = np.array([one.right for one in found])
    return Figure("Reliability, whole sentences", reliability(scores, right))


def _hardest(found: Sequence[Detected]) -> HardestErrors:
    wrong = sorted((one for one in found if not one.right), key=lambda one: -one.score)
    cases = [ErrorCase(one.text, one.truth, one.found, one.score) for one in wrong[:_MOST_ERRORS]]
    return HardestErrors("Surest errors", cases)
