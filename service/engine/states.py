"""The tensors of the rows in flight, where the decoder runs: in memory, or on the GPU."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from service.engine.search import Floats, Slots
from service.engine.session import Session, Tensor, require_rows

_TIME_STEP = 8
"""Room for sources grows by so many positions, so that not each new length moves the buffer."""


class States(Protocol):
    """Encoder memory and decoder state of each row, in step with the batch's own lists."""

    def join(self, memory: Sequence[Floats], state: Floats) -> None:
        """Add rows at the end: memories (length, width) and states (rows, size)."""

    def step(
        self, previous: NDArray[np.int64], k: int, outputs: Sequence[str]
    ) -> dict[str, Tensor]:
        """One decoder step of all rows, without moving any; BatchMismatch if a row is lost."""

    def arrange(self, parents: Slots) -> None:
        """Row i goes on from row `parents[i]` of the last step; rows not named are gone."""


class HostStates:
    """Preallocated arrays in memory, live rows compact in front: nothing is rebuilt at a step.

    A row that leaves costs one copy (its place is taken by the last one), and a hypothesis that
    replaces another of the same source none, because both read the same memory.
    """

    def __init__(self, decoder: Session, state_size: int, memory_size: int) -> None:
        self._decoder = decoder
        self._rows = 0
        self._joined = 0
        self._state: Floats = np.zeros((0, state_size), np.float32)
        self._memory: Floats = np.zeros((0, 0, memory_size), np.float32)
        self._lengths: NDArray[np.int64] = np.zeros(0, np.int64)
        self._source: NDArray[np.int64] = np.zeros(0, np.int64)
        """Which source each row reads; -1 behind the live rows."""

    def join(self, memory: Sequence[Floats], state: Floats) -> None:
        start, end = self._rows, self._rows + len(memory)
        self._make_room(end, max(len(part) for part in memory))
        self._state[start:end] = state
        for row, part in enumerate(memory, start):
            self._memory[row, : len(part)] = part
            self._memory[row, len(part) :] = 0
            self._lengths[row] = len(part)
        self._source[start:end] = np.arange(self._joined, self._joined + len(memory))
        self._joined += len(memory)
        self._rows = end

    def step(
        self, previous: NDArray[np.int64], k: int, outputs: Sequence[str]
    ) -> dict[str, Tensor]:
        rows = self._rows
        feeds: dict[str, Tensor] = {
            "previous": previous,
            "state": self._state[:rows],
            "memory": self._memory[:rows],
            "memory_lengths": self._lengths[:rows],
            "k": np.array([k], np.int64),
        }
        found = self._decoder.run(feeds, ["next_state", *outputs])
        require_rows(rows, found)
        self._state[:rows] = found.pop("next_state")
        return found

    def arrange(self, parents: Slots) -> None:
        rows = len(parents)
        self._make_room(rows, 0)
        self._state[:rows] = self._state[parents]
        sources = self._source[parents]
        moved = np.flatnonzero(sources != self._source[:rows])
        if len(moved):
            origins = parents[moved]
            self._memory[moved] = self._memory[origins]
            self._lengths[moved] = self._lengths[origins]
            self._source[:rows] = sources
        self._source[rows:] = -1
        self._rows = rows
        self._cut()

    def _make_room(self, rows: int, longest: int) -> None:
        capacity, time, width = self._memory.shape
        if rows <= capacity and longest <= time:
            return
        more = capacity if rows <= capacity else max(rows, 2 * capacity)
        time = max(time, -(-longest // _TIME_STEP) * _TIME_STEP)
        memory = np.zeros((more, time, width), np.float32)
        memory[: self._rows, : self._memory.shape[1]] = self._memory[: self._rows]
        self._memory = memory
        self._state = _extended(self._state, more, 0)
        self._lengths = _extended(self._lengths, more, 0)
        self._source = _extended(self._source, more, -1)

    def _cut(self) -> None:
        """After a long source has left, the others need not attend to its room any more."""
        longest = int(self._lengths[: self._rows].max(initial=1))
        time = -(-longest // _TIME_STEP) * _TIME_STEP
        if 2 * time <= self._memory.shape[1]:
            self._memory = np.ascontiguousarray(self._memory[:, :time])


def _extended(array: Tensor, rows: int, fill: int) -> Tensor:
    longer = np.full((rows, *array.shape[1:]), fill, array.dtype)
    longer[: len(array)] = array
    return longer
