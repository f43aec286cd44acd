"""The one thread of a worker that runs sessions.

Two such threads in one process lose a quarter of the rate to the interpreter lock, so the lanes
(one a task) take turns here: after each batch or decoder step the next lane with work is served,
and a full decoder batch delays a short request by one step, not by one translation.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol

from service.engine.errors import DeadlineExceeded
from service.engine.metrics import LaneMetrics
from service.engine.queue import RowQueue
from service.engine.rows import Deliver, Job, Result, Row, Settlement, Token, settle

log = logging.getLogger("sluice")


class Lane(Protocol):
    """A queue of one task's rows, and what serves them a step at a time."""

    queue: RowQueue

    @property
    def metrics(self) -> LaneMetrics:
        """Where its figures go."""

    @property
    def busy(self) -> bool:
        """True while a row waits or is being served."""

    def step(self, deliver: Deliver) -> None:
        """Serve one batch or one decoder step, if there is any row to serve."""


class Runner:
    """Serves the lanes in turn; the event loop submits and awaits."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = list(lanes)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="runner", daemon=True)

    def start(self) -> None:
        """Begin to serve; must be called on the event loop that will submit."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def submit(
        self,
        lane: Lane,
        rows: Sequence[Row],
        timeout_s: float,
        on_news: Callable[[int, Token | Result], None] | None = None,
    ) -> list[Result]:
        """Results of `rows`, in their order.

        `on_news(row, news)` hears each token of a greedily decoded row when it is found, and each
        row's result, on the event loop.

        Raises QueueFull, Draining, DeadlineExceeded, or what the session raised. If the caller is
        cancelled, its rows leave the queue and the running batch.
        """
        loop, now = asyncio.get_running_loop(), time.monotonic()
        jobs = [Job(row, loop.create_future(), now, timeout_s) for row in rows]
        if on_news is not None:
            for index, job in enumerate(jobs):
                job.on_news = partial(on_news, index)
        lane.queue.put(jobs)
        self._wake.set()
        try:
            return await asyncio.gather(*(job.future for job in jobs))
        except asyncio.CancelledError:
            lane.metrics.cancelled(len(jobs))
            raise
        finally:
            for job in jobs:
                job.future.cancel()

    async def drain(self, timeout_s: float) -> bool:
        """Refuse new rows and finish the accepted ones; False if `timeout_s` did not suffice."""
        for lane in self._lanes:
            lane.queue.close()
        deadline = time.monotonic() + timeout_s
        while any(lane.busy for lane in self._lanes) and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        finished = not any(lane.busy for lane in self._lanes)
        self._stopping = True
        self._wake.set()
        return finished

    def _serve(self) -> None:
        while not self._stopping:
            for lane in self._lanes:
                self._step(lane)
            if not any(lane.busy for lane in self._lanes):
                self._wake.wait()
                self._wake.clear()

    def _step(self, lane: Lane) -> None:
        """A lane settles what its sessions raise; a fault of its own must not end the thread.

        The rows that it held then meet their deadlines.
        """
        try:
            lane.step(self._deliver)
        except Exception:
            log.exception("a lane failed outside its sessions")

    def _deliver(self, settlements: Iterable[Settlement]) -> None:
        """Answer on the event loop, while this thread goes on with the next batch."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(settle, list(settlements))


def expire(jobs: Iterable[Job]) -> list[Settlement]:
    """The settlement of jobs whose deadline has passed."""
    return [(job, DeadlineExceeded(job.timeout_s)) for job in jobs]
