"""The search of each source's best translations: greedy with one beam, beam search with more."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.engine.rows import DecodeRow, Hypothesis

Floats = NDArray[np.float32]
Slots = NDArray[np.intp]
_ATTENDED = 32
"""Steps whose attention there is room for at first; doubled where it does not suffice."""


@dataclass(slots=True, eq=False)
class Search:
    """One source in flight; `slots` (beams,) are the batch's rows of its live hypotheses.

    `attention` (beams, room, length) is kept if the row asks for alignments; `attended` of its
    steps are filled.
    """

    row: DecodeRow
    slots: Slots
    steps: int = 0
    finished: list[Hypothesis] = field(default_factory=list)
    attention: Floats | None = None
    attended: int = 0

    @property
    def done(self) -> bool:
        """True once no further step can be of use."""
        return len(self.finished) >= self.row.beams or self.steps >= self.row.max_steps

    def attend(self, weights: Floats) -> None:
        """Keep the attention (rows, time) of a step."""
        if self.attention is None:
            shape = (len(self.slots), _ATTENDED, self.row.length)
            self.attention = np.zeros(shape, np.float32)
        elif self.attended == self.attention.shape[1]:
            self.attention = np.pad(self.attention, ((0, 0), (0, self.attended), (0, 0)))
        self.attention[:, self.attended] = weights[self.slots, : self.row.length]
        self.attended += 1

    def best(self) -> list[Hypothesis]:
        """The finished hypotheses that were asked for, best first."""
        ranked = sorted(self.finished, key=lambda found: found.score, reverse=True)
        return ranked[: self.row.hypotheses]


class Hypotheses:
    """The live hypotheses of all searches as arrays, row i of each for one; `[0:rows)` are live."""

    def __init__(self) -> None:
        self.owners: list[Search] = []
        self.previous: NDArray[np.int64] = np.zeros(32, np.int64)
        self.totals: NDArray[np.float64] = np.zeros(32, np.float64)
        self.steps: NDArray[np.int64] = np.zeros(32, np.int64)
        self.limits: NDArray[np.int64] = np.zeros(32, np.int64)
        self.greedy: NDArray[np.bool_] = np.zeros(32, np.bool_)
        self.history: NDArray[np.int32] = np.zeros((32, 64), np.int32)

    @property
    def rows(self) -> int:
        return len(self.owners)

    def join(self, row: DecodeRow, first: int) -> Search:
        """Rows for all beams of a source, at the end; but one has no part in the first step."""
        slots = np.arange(self.rows, self.rows + row.beams)
        search = Search(row, slots)
        self.owners += [search] * row.beams
        self._make_room()
        self.previous[slots], self.totals[slots], self.steps[slots] = first, -np.inf, 0
        self.totals[slots[0]] = 0.0
        self.limits[slots], self.greedy[slots] = row.max_steps, row.beams == 1
        return search

    def close_gaps(self, gone: list[Search], parents: Slots) -> Slots:
        """Take searches out and move the last rows to their places; `parents` without the gone."""
        freed = np.concatenate([search.slots for search in gone])
        rows = self.rows - len(freed)
        holes = freed[freed < rows]
        movers = np.setdiff1d(np.arange(rows, self.rows), freed)
        for array in (
            self.previous, self.totals, self.steps, self.limits, self.greedy, self.history, parents
        ):  # fmt: skip
            array[holes] = array[movers]
        for hole, mover in zip(holes.tolist(), movers.tolist(), strict=True):
            owner = self.owners[hole] = self.owners[mover]
            owner.slots[owner.slots == mover] = hole
        del self.owners[rows:]
        return parents[:rows]

    def count_step(self) -> None:
        """Room in the history for one more token of each row."""
        self.steps[: self.rows] += 1
        width = self.history.shape[1]
        if self.steps[: self.rows].max() > width:
            self.history = np.pad(self.history, ((0, 0), (0, width)))

    def _make_room(self) -> None:
        capacity = len(self.history)
        if self.rows <= capacity:
            return
        more = max(capacity, self.rows - capacity)
        self.history = np.pad(self.history, ((0, more), (0, 0)))
        self.previous, self.totals = (
            np.pad(self.previous, (0, more)),
            np.pad(self.totals, (0, more)),
        )
        self.steps, self.limits = np.pad(self.steps, (0, more)), np.pad(self.limits, (0, more))
        self.greedy = np.pad(self.greedy, (0, more))


class Extensions(NamedTuple):
    """What a step found for searches of the same number of beams.

    `parents` (which beam each goes on from), `tokens` and `totals` are (searches, beams).
    `ends` lists the hypotheses that ended as (search, beam, summed log-probability).
    """

    parents: Slots
    tokens: NDArray[np.int64]
    totals: NDArray[np.float64]
    ends: list[tuple[int, int, float]]


def extend(
    totals: NDArray[np.float64], scores: Floats, tokens: NDArray[np.int64], eos_id: int
) -> Extensions:
    """One step of beam search, for many searches at once.

    `totals` is (searches, beams), `scores` and `tokens` (searches, beams, 2 * beams), best first.
    Of the `2 * beams` best continuations the first `beams` that do not end live on; one that ends
    counts if it is among the first `beams`.
    """
    searches, beams, choices = scores.shape
    together = (totals[:, :, None] + scores).reshape(searches, -1)
    ranked = np.argsort(-together, axis=1, kind="stable")[:, :choices]
    found = np.take_along_axis(tokens.reshape(searches, -1), ranked, axis=1)
    sums = np.take_along_axis(together, ranked, axis=1)
    parents, ended = ranked // choices, found == eos_id
    kept = np.argsort(ended, axis=1, kind="stable")[:, :beams]
    ends = [
        (search, int(parents[search, rank]), float(sums[search, rank]))
        for search, rank in np.argwhere(ended[:, :beams]).tolist()
    ]
    parents, found, sums = (np.take_along_axis(a, kept, axis=1) for a in (parents, found, sums))
    return Extensions(parents, found, sums, ends)
