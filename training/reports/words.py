"""What a report tells of transliteration: words by their length, and what is mistaken for what."""

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import NamedTuple

from training.reports.figures import bars
from training.reports.parts import Figure, Part, Table

_MOST_CONFUSIONS = 20
_MOST_ERRORS = 30
_NOTHING = "(nothing)"


class Written(NamedTuple):
    """Latin letters, the attested word, and the word that was written."""

    latin: str
    attested: str
    written: str

    @property
    def right(self) -> bool:
        return self.attested == self.written


def word_parts(found: Sequence[Written]) -> list[Part]:
    return [
        Figure(
            "Word accuracy by Latin letters", bars(accuracy_by_length(found), y_label="percent")
        ),
        _confusions(found),
        _errors(found),
    ]


def accuracy_by_length(found: Sequence[Written]) -> dict[str, float]:
    """Percent of right words by the number of their Latin letters."""
    ordered = sorted(found, key=lambda one: len(one.latin))
    shares = {}
    for length, group in groupby(ordered, key=lambda one: len(one.latin)):
        right = [one.right for one in group]
        shares[str(length)] = 100 * sum(right) / len(right)
    return shares


def replacements(attested: str, written: str) -> list[tuple[str, str]]:
    """Runs of characters of `attested` that were written otherwise, with what was written."""
    blocks = SequenceMatcher(None, attested, written, autojunk=False).get_opcodes()
    return [
        (attested[a:b] or _NOTHING, written[c:d] or _NOTHING)
        for kind, a, b, c, d in blocks
        if kind != "equal"
    ]


def _confusions(found: Sequence[Written]) -> Table:
    counts: Counter[tuple[str, str]] = Counter()
    for one in found:
        counts.update(replacements(one.attested, one.written))
    rows = [(a, b, str(count)) for (a, b), count in counts.most_common(_MOST_CONFUSIONS)]
    return Table("Most frequent confusions of characters", ("attested", "written", "times"), rows)


def _errors(found: Sequence[Written]) -> Table:
    """Spread over the set, which is in the order of the alphabet."""
    wrong = [one for one in found if not one.right]
    chosen = wrong[:: max(1, len(wrong) // _MOST_ERRORS)][:_MOST_ERRORS]
    return Table("Errors", ("Latin", "attested", "written"), [tuple(one) for one in chosen])
