"""More requests than can be served: what still gets through, and how soon the rest is told."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
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
    """`seconds` are for each run."""
    with apart(texts, folder) as (server, bodies):
        saturating = saturate(server, bodies, seconds).goodput
        below = [open_loop(server, bodies, part * saturating, seconds) for part in _BELOW]
        twice = open_loop(server, bodies, 2 * saturating, seconds)
        five_times = open_loop(server, bodies, 5 * saturating, seconds)
    return Overload(saturating, below, twice, five_times)


@contextlib.contextmanager
def apart(
    texts: Sequence[str], folder: Path, settings: Mapping[str, str] = {}
) -> Iterator[tuple[Server, Path]]:
    """A service with a worker on each core but the first, and bodies for it of `texts`.

    What is started meanwhile has the first core, the generator above all. On a core of the
    service's it would take from it what it offers, the more the more it offers, and its own delays
    would count as those of refusals.
    """
    bodies = write_bodies(folder / "overload.txt", texts, one_input)
    first, *others = sorted(os.sched_getaffinity(0))
    workers = {"SLUICE_WORKERS": str(len(others) or 1), "SLUICE_MAX_CONNECTIONS": _CONNECTIONS}
    with contextlib.ExitStack() as held:
        with on_cores(others or [first]):
            server = held.enter_context(serving_sluice(folder, settings={**workers, **settings}))
        held.enter_context(on_cores([first]))
        yield server, bodies


def saturate(server: Server, bodies: Path, seconds: float) -> OpenLoad:
    """An open loop of somewhat more than the service can do: its goodput is what it can."""
    closed = closed_loop(server, bodies, 128, seconds)
    return open_loop(server, bodies, _SATURATING * closed.per_second, seconds)
