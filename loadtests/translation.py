"""Translation: in-flight against static batching of the same engine, and what HTTP takes.

Each run is a process of its own with one runner on one thread: rows are prepared beforehand, then
callers submit them to the engine as the HTTP layer does.
"""

import asyncio
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import uvloop

from loadtests.contenders import BUNDLES, serving_sluice
from loadtests.openloop import arrivals
from loadtests.texts import ROOT, mixed_texts, write_bodies
from loadtests.wrk import Load, closed_loop
from service.bundle import find_bundles, load_bundle
from service.engine.decoder_lane import DecoderLane
from service.engine.decoding import DecoderBatch
from service.engine.rows import DecodeRow, Deliver, Hypothesis, Result, Row
from service.engine.runner import Lane, Runner
from service.engine.search import Search, Slots
from service.engine.session import share_threads
from service.settings import Settings
from service.tasks.base import LaneLimits, Predictor
from service.tasks.decoded import DecodedPredictor
from service.tasks.registry import open_predictor

CALLERS = 64
LEAVING = "static, finished rows leave"
MODES = ("in-flight", "static", LEAVING)
LOAD = 0.7
_PARAMETERS = {"src_lang": "en", "tgt_lang": "de", "num_beams": 1}
_TIMEOUT_S = 600.0


class Batching(msgspec.Struct, frozen=True):
    """Requests a second, and latencies (ms) from the time that each was due."""

    per_second: float
    p50_ms: float
    p99_ms: float


class TranslationResult(msgspec.Struct, frozen=True):
    """`loaded` is at 70 % of what static batching serves at most."""

    saturated: dict[str, Batching]
    loaded_rate: float
    loaded: dict[str, Batching]
    http: Load


class HeldBatch(DecoderBatch):
    """Rows that have finished stay in the decoder's steps until all of their batch have.

    So does every server that batches whole requests (Orca calls it request-level scheduling): what
    it runs is one call of a model for a batch.
    """

    def _arrange(self, parents: Slots, gone: list[Search]) -> None:
        if len(gone) == len(self._searches):
            super()._arrange(parents, gone)


class StaticLane:
    """Batches that run to their end: nobody joins, and all are answered with the last."""

    def __init__(self, lane: DecoderLane, batch: DecoderBatch, rows: int) -> None:
        self.queue, self.metrics = lane.queue, lane.metrics
        self._batch, self._rows = batch, rows
        self._running = False

    @property
    def busy(self) -> bool:
        return self._running or len(self.queue) > 0

    def step(self, deliver: Deliver) -> None:
        self._running = True
        jobs, _ = self.queue.take(lambda waiting: waiting[: self._rows])
        if jobs:
            found = self._decode([job.row for job in jobs if isinstance(job.row, DecodeRow)])
            deliver([(j, Result(v, 0.0, 0.0, len(jobs))) for j, v in zip(jobs, found, strict=True)])
        self._running = False

    def _decode(self, rows: list[DecodeRow]) -> list[list[Hypothesis]]:
        searches = self._batch.admit(rows)
        found: dict[int, list[Hypothesis]] = {}
        while len(found) < len(searches):
            for search in self._batch.step():
                found.setdefault(id(search), search.best()[:1])
        self._batch.drop(lambda search: True)
        return [found[id(search)] for search in searches]


def measure(seconds: float, folder: Path) -> TranslationResult:
    """`seconds` are for each of the seven runs."""
    saturated = {mode: _process(mode, seconds, 0.0) for mode in MODES}
    rate = LOAD * saturated["static"].per_second
    loaded = {mode: _process(mode, seconds, rate) for mode in MODES}
    return TranslationResult(saturated, rate, loaded, _over_http(seconds, folder))


def _over_http(seconds: float, folder: Path) -> Load:
    texts, _ = mixed_texts()
    bodies = write_bodies(
        folder / "translation.txt", texts, lambda text: {"inputs": text, "parameters": _PARAMETERS}
    )
    one = {"SLUICE_WORKERS": "1", "SLUICE_THREADS": "1"}
    with serving_sluice(folder, "/translate", settings=one) as server:
        closed_loop(server, bodies, CALLERS, 2)
        return closed_loop(server, bodies, CALLERS, seconds)


def _process(mode: str, seconds: float, rate: float) -> Batching:
    command = [sys.executable, "-m", "loadtests.translation", mode, str(seconds), str(rate)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if ended.returncode:
        raise RuntimeError(f"translation in process failed: {ended.stderr}")
    return msgspec.json.decode(ended.stdout, type=Batching)


def main() -> None:
    mode, seconds, rate = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    share_threads(1)
    bundle = load_bundle(find_bundles(BUNDLES)["translation"])
    predictor = open_predictor(bundle, "cpu", shared_pool=True)
    parameters = predictor.parameters(**_PARAMETERS)
    predictor.warm_up(parameters)
    texts, _ = mixed_texts()
    requests = [rows for text in texts if (rows := predictor.prepare(text, parameters).rows)]
    caller = Caller(_lane(mode, predictor), requests)
    found = uvloop.run(caller.at_rate(rate, seconds) if rate else caller.saturate(seconds))
    print(msgspec.json.encode(found).decode())


def _lane(mode: str, predictor: Predictor[Any]) -> Lane:
    """Limits as the service has them by default; the queue takes all."""
    assert isinstance(predictor, DecodedPredictor)
    settings = Settings()
    rows, admissions = settings.decoder_rows, settings.decoder_admissions
    lane = predictor.lane(LaneLimits(1_000_000, None, rows, admissions))
    if mode == "in-flight":
        return lane
    return StaticLane(lane, predictor.batch(HeldBatch if mode == "static" else DecoderBatch), rows)


class Caller:
    """Submits requests (each some rows) and keeps their latencies."""

    def __init__(self, lane: Lane, requests: Sequence[Sequence[Row]]) -> None:
        self._lane, self._runner = lane, Runner([lane])
        self._requests: Iterator[Sequence[Row]] = itertools.cycle(requests)
        self._done: list[tuple[float, float]] = []

    async def saturate(self, seconds: float) -> Batching:
        """CALLERS at once, each with its next request when it has its answer."""
        self._runner.start()
        began = time.perf_counter()
        callers = [asyncio.create_task(self._again_until(began + seconds)) for _ in range(CALLERS)]
        await asyncio.gather(*callers)
        return self._figures(began, seconds)

    async def at_rate(self, rate: float, seconds: float) -> Batching:
        """Poisson arrivals."""
        self._runner.start()
        began = time.perf_counter()
        tasks = []
        for due in arrivals(rate, seconds):
            await asyncio.sleep(max(0.0, began + due - time.perf_counter()))
            tasks.append(asyncio.create_task(self._submit(began + due)))
        await asyncio.gather(*tasks)
        return self._figures(began, seconds)

    async def _again_until(self, end: float) -> None:
        while time.perf_counter() < end:
            await self._submit(time.perf_counter())

    async def _submit(self, due: float) -> None:
        await self._runner.submit(self._lane, next(self._requests), _TIMEOUT_S)
        self._done.append((due, time.perf_counter()))

    def _figures(self, began: float, seconds: float) -> Batching:
        """The rate counts up to the last answer in time: static batches end all at once."""
        within = [came - began for _, came in self._done if came <= began + seconds]
        waits_ms = [1000 * (came - due) for due, came in self._done]
        p50, p99 = np.percentile(waits_ms, [50, 99])
        return Batching(len(within) / max(within, default=1.0), float(p50), float(p99))


if __name__ == "__main__":
    main()
