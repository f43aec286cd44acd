"""More requests than can be served: what still gets through, and how soon the rest is told."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from loadtests.contenders import serving_sluice
from loadtests.openloop import OpenLoad, open_loop
from loadtests.texts import one_input, write_bodies
from loadtests.wrk import closed_loop

_SATURATING = 1.3
_BELOW = (0.8, 1.0)


class Overload(msgspec.Struct, frozen=True):
    """Open-loop runs below, at, and beyond the rate that saturates (good answers a second)."""

    saturating: float
    below: list[OpenLoad]
    twice: OpenLoad
    five_times: OpenLoad

    @property
    def peak(self) -> float:
        """The best goodput of all runs."""
        return max(self.saturating, *(run.goodput for run in [*self.below, self.twice]))


def measure(texts: Sequence[str], seconds: float, folder: Path) -> Overload:
    """`seconds` are for each run."""
    bodies = write_bodies(folder / "overload.txt", texts, one_input)
    with serving_sluice(folder) as server:
        closed = closed_loop(server, bodies, 128, seconds)
        saturating = open_loop(server, bodies, _SATURATING * closed.per_second, seconds).goodput
        below = [open_loop(server, bodies, part * saturating, seconds) for part in _BELOW]
        twice = open_loop(server, bodies, 2 * saturating, seconds)
        five_times = open_loop(server, bodies, 5 * saturating, seconds)
    return Overload(saturating, below, twice, five_times)
