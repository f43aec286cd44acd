"""What a benchmark found, as it is kept, and the ratios that it must show."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import msgspec

from loadtests.ceiling import Ceiling
from loadtests.comparison import Comparison, Measured
from loadtests.growth import Growth
from loadtests.machine import Machine
from loadtests.overload import Overload
from loadtests.soak import Soak
from loadtests.translation import LEAVING, TranslationResult

_FEW = 0.01


class Results(msgspec.Struct, frozen=True):
    """All parts of one run; the soak is a run of its own."""

    machine: Machine
    command: str
    minutes: float
    texts: str
    ceiling_before: Ceiling
    comparison: Comparison
    growth: Growth
    translation: TranslationResult
    overload: Overload
    ceiling_after: Ceiling
    soak: Soak | None = None
    note: str = ""
    """What a reader must know of the run, such as other work on the machine."""

    @property
    def ceiling(self) -> float:
        """Rows a second: the mean of before and after."""
        return (self.ceiling_before.rows_per_second + self.ceiling_after.rows_per_second) / 2


class Ratio(msgspec.Struct, frozen=True):
    """A figure and what is asked of it; `measured` None where a part was not measured."""

    name: str
    asked: float
    bound: Literal["at least", "at most"]
    measured: float | None
    unit: str = ""
    note: str = ""

    @property
    def reached(self) -> bool:
        if self.measured is None:
            return False
        if self.bound == "at least":
            return self.measured >= self.asked
        return self.measured <= self.asked


def write_results(results: Results, path: Path) -> None:
    encoded = msgspec.json.encode(results)
    path.write_bytes(msgspec.json.format(encoded, indent=1) + b"\n")


def ratios(results: Results) -> list[Ratio]:
    """The table of the benchmark; of this service's two runs, the worse counts."""
    return [
        *against_peers(results.comparison),
        *_against_the_machine(results),
        *_of_translation(results.translation),
        *_under_overload(results.overload),
        _memory(results.soak),
    ]


def against_peers(found: Comparison) -> list[Ratio]:
    """The ratios to peers; the idiomatic BentoML service counts for its own alone."""
    peers, shelf = found.served, [peer for peer in found.served if peer.off_the_shelf]
    idiomatic = [found.idiomatic] if found.idiomatic else []
    return [
        _rate("our req/s / best peer's, 128 connections", 1.5, found, peers, 128),
        _rate("our req/s / best off-the-shelf peer's, 32 connections", 2.2, found, shelf, 32),
        _wait(
            "open loop at half our capacity: our p99 / best peer's", 0.5, found, peers, _open_p99
        ),
        _wait("our p99 / best peer's p99, 128 connections", 0.67, found, peers, _closed_p99),
        _rate("our req/s / idiomatic BentoML's, 128 connections", 3.0, found, idiomatic, 128),
    ]


def _rate(
    name: str, asked: float, found: Comparison, peers: Iterable[Measured], connections: int
) -> Ratio:
    rates = {peer.name: peer.at(connections).per_second for peer in peers}
    best = max(rates, key=lambda peer: rates[peer], default=None)
    ours = min(run.at(connections).per_second for run in (found.ours, found.ours_again))
    measured = _over(ours, rates[best]) if best else None
    return Ratio(name, asked, "at least", measured, note=best or "")


def _wait(
    name: str,
    asked: float,
    found: Comparison,
    peers: Iterable[Measured],
    p99_ms: Callable[[Measured], float],
) -> Ratio:
    waits = {peer.name: p99_ms(peer) for peer in peers}
    best = min(waits, key=lambda peer: waits[peer], default=None)
    ours = max(p99_ms(run) for run in (found.ours, found.ours_again))
    measured = ours / waits[best] if best and math.isfinite(waits[best]) else None
    return Ratio(name, asked, "at most", measured, note=best or "")


def _open_p99(run: Measured) -> float:
    """Infinite for a server that is quick because it refuses, or that answered nobody in time."""
    found = run.open
    if found is None or not found.p99_ms or found.refused + found.lost > _FEW * found.sent:
        return math.inf
    return found.p99_ms


def _closed_p99(run: Measured) -> float:
    load = run.at(128)
    answered = load.p99_ms and load.refused + load.failed <= _FEW * load.requests
    return load.p99_ms if answered else math.inf


def _against_the_machine(results: Results) -> list[Ratio]:
    runs = (results.comparison.ours, results.comparison.ours_again)
    rate = min(run.at(128).per_second for run in runs)
    p50_ms = max(run.at(1).p50_ms for run in runs)
    alone_ms = (results.ceiling_before.one_row_p50_ms + results.ceiling_after.one_row_p50_ms) / 2
    return [
        Ratio(
            "our req/s, 128 connections / in-process ceiling",
            0.75,
            "at least",
            _over(rate, results.ceiling),
        ),
        Ratio(
            "1 connection: our p50 / in-process latency of one row",
            1.35,
            "at most",
            p50_ms / alone_ms,
        ),
    ]


def _of_translation(found: TranslationResult) -> list[Ratio]:
    full, loaded = found.saturated, found.loaded
    rate = _over(full["in-flight"].per_second, full[LEAVING].per_second)
    wait = _over(loaded["in-flight"].p99_ms, loaded[LEAVING].p99_ms)
    return [
        Ratio(
            "translation, in-flight / static batching, saturated, req/s",
            1.4,
            "at least",
            _over(full["in-flight"].per_second, full["static"].per_second),
            note=_beside(rate),
        ),
        Ratio(
            "translation, in-flight / static batching, 70 % load, p99",
            0.6,
            "at most",
            _over(loaded["in-flight"].p99_ms, loaded["static"].p99_ms),
            note=_beside(wait),
        ),
        Ratio(
            "translation, HTTP / decoder loop in process, req/s",
            0.85,
            "at least",
            _over(found.http.per_second, full["in-flight"].per_second),
        ),
    ]


def _under_overload(found: Overload) -> list[Ratio]:
    return [
        Ratio(
            "goodput at 2x the saturating rate / peak goodput",
            0.95,
            "at least",
            _over(found.twice.goodput, found.peak),
        ),
        Ratio(
            "99th percentile of the time to a refusal at 2x",
            50,
            "at most",
            found.twice.refusal_p99_ms if found.twice.refused else None,
            "ms",
        ),
        Ratio(
            "median time to a refusal at 5x overload",
            20,
            "at most",
            found.five_times.refusal_p50_ms if found.five_times.refused else None,
            "ms",
        ),
    ]


def _over(one: float, other: float) -> float | None:
    """None where a run was too short for a figure."""
    return one / other if other else None


def _beside(measured: float | None) -> str:
    """What the ratio is to the other static batching."""
    told = "not measured" if measured is None else f"{measured:.2f}"
    return f"{told} where finished rows leave the static batch"


def _memory(soak: Soak | None) -> Ratio:
    name = "server memory growth over mixed requests after warm-up"
    if soak is None:
        return Ratio(name, 5, "at most", None, "%", "make soak measures it")
    return Ratio(name, 5, "at most", 100 * soak.growth, "%", f"{soak.requests} requests")
