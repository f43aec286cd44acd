"""Loops: a recurrent decoder that has lost its place says the same words over and over."""

from collections.abc import Sequence

import numpy as np

_LONGEST_PERIOD = 20
_ALLOWED_SHORT, _ALLOWED_LONG = 3, 2
"""How often one or two sub-words, and how often more of them, may stand in a row."""


def longest_run(ids: Sequence[int]) -> int:
    """How often the most repeated n-gram of `ids` stands in a row; 1 if none is repeated."""
    found = np.asarray(ids)
    longest = 1
    for period in range(1, min(_LONGEST_PERIOD, len(found) // 2) + 1):
        different = np.flatnonzero(found[period:] != found[:-period])
        edges = np.concatenate([[-1], different, [len(found) - period]])
        longest = max(longest, int((np.diff(edges) - 1).max()) // period + 1)
    return longest


def without_loops(ids: Sequence[int], source_run: int) -> list[int]:
    """Positions of `ids` that remain when each n-gram stands in a row no more than it may.

    What the source itself repeats (`source_run` times) may be repeated as often.
    """
    kept: list[int] = []
    for position in range(len(ids)):
        kept.append(position)
        for period in range(1, _LONGEST_PERIOD + 1):
            allowed = max(_ALLOWED_SHORT if period < 3 else _ALLOWED_LONG, source_run)
            if _loops(ids, kept, period, allowed + 1):
                del kept[-period:]
                break
    return kept


def _loops(ids: Sequence[int], kept: list[int], period: int, times: int) -> bool:
    """True if the last `times * period` kept ids are the same n-gram, `times` times."""
    first = len(kept) - times * period
    if first < 0 or ids[kept[-1]] != ids[kept[-1 - period]]:
        return False
    return all(ids[kept[i]] == ids[kept[i + period]] for i in range(first, len(kept) - period))
