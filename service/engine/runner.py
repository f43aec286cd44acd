"""The one thread of a worker that runs sessions.

Two such threads in one process lose a quarter of the rate to the interpreter lock, so the lanes
(one a task) take turns here, a batch or a decoder step each, and share its time evenly: the lane
that has had the least is served next. A short request that finds a full decoder waits for one
step, not for one translation; a decoder beside a saturated tagger still has half the time.
"""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from queue import SimpleQueue
from typing import Protocol

from service.engine.errors import DeadlineExceeded
from service.engine.metrics import LaneMetrics
from service.engine.queue import RowQueue
from service.engine.rows import Deliver, Job, Result, Row, Settlement, Ticket, Token, settle

_NICENESS = 5
"""Of the runner's thread: a third of the weight of the event loop's. In a container, or where the
kernel groups by session (sched(7), autogroup), this counts inside of the service alone."""

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
        self._bell: SimpleQueue[None] = SimpleQueue()  # ten times cheaper than threading.Event
        self._resting = False
        self._stopping = False
        self._spent: dict[int, float] = {}
        self._was_busy: list[Lane] = []
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
        ticket = self.post(lane, rows, timeout_s, on_news)
        try:
            return await ticket.future
        except asyncio.CancelledError:
            self.withdraw(lane, ticket)
            raise
        finally:
            if len(rows) > 1:
                lane.queue.discard(ticket)

    def post(
        self,
        lane: Lane,
        rows: Sequence[Row],
        timeout_s: float,
        on_news: Callable[[int, Token | Result], None] | None = None,
    ) -> Ticket:
        """Queue `rows`, whose results the ticket's future will have.

        Raises QueueFull or Draining, and then nothing is queued.
        """
        now = time.monotonic()
        ticket = Ticket(asyncio.get_running_loop().create_future(), len(rows), lane.metrics)
        lane.queue.put(
            [Job(row, ticket, index, now, timeout_s, on_news) for index, row in enumerate(rows)]
        )
        lane.metrics.accepted(len(rows))
        if self._resting:
            self._bell.put(None)
        return ticket

    def withdraw(self, lane: Lane, ticket: Ticket) -> None:
        """The caller has gone: its rows leave the queue and the running batch."""
        ticket.cancel()
        lane.queue.discard(ticket)

    def add(self, lanes: Sequence[Lane]) -> None:
        """Serve these lanes too."""
        self._lanes = [*self._lanes, *lanes]

    def remove(self, lanes: Sequence[Lane]) -> None:
        """Serve these lanes no more; nobody may submit to them any longer."""
        self._lanes = [lane for lane in self._lanes if lane not in lanes]

    async def drain(self, timeout_s: float) -> bool:
        """Refuse new rows and finish the accepted ones; False if `timeout_s` did not suffice."""
        for lane in self._lanes:
            lane.queue.close()
        deadline = time.monotonic() + timeout_s
        while any(lane.busy for lane in self._lanes) and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        finished = not any(lane.busy for lane in self._lanes)
        self._stopping = True
        self._bell.put(None)
        return finished

    def _serve(self) -> None:
        _step_back()
        while not self._stopping:
            busy = [lane for lane in self._lanes if lane.busy]
            if busy:
                self._take_turn(busy)
            else:
                self._rest()

    def _rest(self) -> None:
        """Wait until the bell rings; a row that came before anybody could see us rest is seen."""
        self._resting = True
        if not self._stopping and not any(lane.busy for lane in self._lanes):
            self._bell.get()
        self._resting = False

    def _take_turn(self, busy: list[Lane]) -> None:
        """Serve the lane that has had the least time; one that was idle claims no past time."""
        fair = min((self._spent[id(lane)] for lane in busy if lane in self._was_busy), default=0.0)
        for lane in busy:
            if lane not in self._was_busy:
                self._spent[id(lane)] = max(self._spent.get(id(lane), 0.0), fair)
        self._was_busy = busy
        lane = min(busy, key=lambda lane: self._spent[id(lane)])
        began = time.monotonic()
        self._step(lane)
        self._spent[id(lane)] += time.monotonic() - began

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


def _step_back() -> None:
    """Let the event loop go first where both want the same core.

    With equal shares a loop that needs more than half of one core falls behind without end: callers
    then wait seconds for a refusal that takes microseconds. Computing has what the loop leaves.
    """
    with contextlib.suppress(OSError):  # a system where threads have no priority of their own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def expire(jobs: Iterable[Job]) -> list[Settlement]:
    """The settlement of jobs whose deadline has passed."""
    return [(job, DeadlineExceeded(job.timeout_s)) for job in jobs]
