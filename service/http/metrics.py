"""Prometheus metrics of requests: base units, bounded labels, never a text or a caller's path."""

import os
from pathlib import Path
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from service.engine.tallies import CounterTally, GaugeTally, HistogramTally, write_tallies
from service.http.errors import kind_of
from service.http.processes import Gpus, WorkerProcesses
from service.tasks.base import Predictor
from service.tasks.endpoint import Answered

__all__ = ["CONTENT_TYPE_LATEST", "TaskMetrics", "exposition", "forget_dead_workers", "refused"]

_LABELS = ("task", "model_version")
_NO_TASK = ("none", "none")
"""Labels of requests that reached no task: unknown paths share them."""
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SHARED_DIR = "PROMETHEUS_MULTIPROC_DIR"

REQUESTS = Counter("sluice_requests_total", "Requests answered, by status", (*_LABELS, "status"))
REFUSALS = Counter("sluice_refusals_total", "Requests refused, by reason", (*_LABELS, "reason"))
IN_PROGRESS = Gauge(
    "sluice_requests_in_progress", "Requests being served", _LABELS, multiprocess_mode="livesum"
)
REQUEST_SECONDS = Histogram(
    "sluice_request_duration_seconds", "Arrival to answer", _LABELS, buckets=_SECONDS
)
QUEUE_SECONDS = Histogram(
    "sluice_request_queue_duration_seconds", "Longest wait of a row", _LABELS, buckets=_SECONDS
)
TOKENIZE_SECONDS = Histogram(
    "sluice_request_tokenize_duration_seconds", "Text to tensors", _LABELS, buckets=_SECONDS
)
INFERENCE_SECONDS = Histogram(
    "sluice_request_inference_duration_seconds", "Longest run of a row", _LABELS, buckets=_SECONDS
)
BUNDLE_INFO = Gauge(
    "sluice_bundle_info",
    "1 for each bundle that serves",
    (*_LABELS, "model", "precision"),
    multiprocess_mode="livemax",
)
PROVIDER_INFO = Gauge(
    "sluice_provider_info",
    "1 for the device that each bundle runs on",
    (*_LABELS, "device"),
    multiprocess_mode="livemax",
)
READY_WORKERS = Gauge(
    "sluice_ready_workers", "Workers that take requests", multiprocess_mode="livesum"
)
_PROCESSES = CollectorRegistry()
_PROCESSES.register(WorkerProcesses())
_PROCESSES.register(Gpus())


class TaskMetrics:
    """The metrics of one task, counted in memory."""

    def __init__(self, task: str, version: str) -> None:
        self._labels = (task, version)
        self._statuses: dict[int, CounterTally] = {}
        self._refusals: dict[str, CounterTally] = {}
        self._in_progress = GaugeTally(IN_PROGRESS.labels(task, version))
        self._total = HistogramTally(REQUEST_SECONDS.labels(task, version))
        self._queue = HistogramTally(QUEUE_SECONDS.labels(task, version))
        self._tokenize = HistogramTally(TOKENIZE_SECONDS.labels(task, version))
        self._inference = HistogramTally(INFERENCE_SECONDS.labels(task, version))

    def serves(self, predictor: Predictor[Any]) -> None:
        """Tell which bundle and which device answer."""
        name = predictor.bundle.manifest.name
        BUNDLE_INFO.labels(*self._labels, name, predictor.precision).set(1)
        PROVIDER_INFO.labels(*self._labels, predictor.device).set(1)

    def answered(self, answered: Answered) -> None:
        self._queue.observe(answered.queue_s)
        self._tokenize.observe(answered.tokenize_s)
        self._inference.observe(answered.infer_s)

    def refused(self, error: Exception) -> None:
        reason = kind_of(error).slug
        if reason not in self._refusals:
            self._refusals[reason] = CounterTally(REFUSALS.labels(*self._labels, reason))
        self._refusals[reason].inc(1)

    def began(self) -> None:
        """A request has come; `ended` must follow."""
        self._in_progress.value += 1

    def ended(self, status: int, seconds: float) -> None:
        self._count(status)
        self._in_progress.value -= 1
        self._total.observe(seconds)

    def turned_away(self, status: int) -> None:
        """A request was refused when its head had come: it took no time worth telling."""
        self._count(status)

    def dropped(self) -> None:
        """A request was cut off without an answer."""
        self._in_progress.value -= 1

    def _count(self, status: int) -> None:
        if status not in self._statuses:
            self._statuses[status] = CounterTally(REQUESTS.labels(*self._labels, str(status)))
        self._statuses[status].inc(1)


def refused(error: Exception) -> None:
    """Count a request that was refused before it reached a task."""
    kind = kind_of(error)
    REQUESTS.labels(*_NO_TASK, str(kind.status)).inc()
    REFUSALS.labels(*_NO_TASK, kind.slug).inc()


def exposition() -> bytes:
    """All metrics of all workers as Prometheus text."""
    write_tallies()
    return generate_latest(_shared() if SHARED_DIR in os.environ else REGISTRY) + generate_latest(
        _PROCESSES
    )


def _shared() -> CollectorRegistry:
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def forget_dead_workers() -> None:
    """Take the live gauges of workers that were killed out of the sums."""
    folder = os.environ.get(SHARED_DIR)
    if folder is None:
        return
    for file in Path(folder).glob("gauge_live*_*.db"):
        process = int(file.stem.rpartition("_")[2])
        if not Path(f"/proc/{process}").exists():
            mark_process_dead(process)  # type: ignore[no-untyped-call]
