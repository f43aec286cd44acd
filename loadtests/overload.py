"""More requests than can be served: what still gets through, and how soon the rest is told."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from loadtests.contenders import serving_sluice
from loadtests.openloop import OpenLoad, open_loop
from loadtests.processes import Server, on_cores
from loadtests.texts import one_input, write_bodies
from loadtests.wrk import closed_loop

_SATURATING = 1.3
_BELOW = (0.8, 1.0)
_CONNECTIONS = "8192"
"""Of a worker: as many as the generator opens, so that the queue is what refuses."""


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
    """`seconds` are for each run. The generator has the first core, the service all others.

    On a core of the service's it would take from it what it offers, the more the more it offers,
    and its own delays would count as those of refusals.
    """
    bodies = write_bodies(folder / "overload.txt", texts, one_input)
    first, *others = sorted(os.sched_getaffinity(0))
    workers = {"SLUICE_WORKERS": str(len(others) or 1), "SLUICE_MAX_CONNECTIONS": _CONNECTIONS}
    with contextlib.ExitStack() as held:
        with on_cores(others or [first]):
            server = held.enter_context(serving_sluice(folder, settings=workers))
        held.enter_context(on_cores([first]))
        return _measure(server, bodies, seconds)


def _measure(server: Server, bodies: Path, seconds: float) -> Overload:
    closed = closed_loop(server, bodies, 128, seconds)
    saturating = open_loop(server, bodies, _SATURATING * closed.per_second, seconds).goodput
    below = [open_loop(server, bodies, part * saturating, seconds) for part in _BELOW]
    twice = open_loop(server, bodies, 2 * saturating, seconds)
    five_times = open_loop(server, bodies, 5 * saturating, seconds)
    return Overload(saturating, below, twice, five_times)
