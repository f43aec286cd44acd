"""What travels through the engine: a row of tensors, the wait for its answer, and the result."""

import asyncio
import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.engine.errors import DeadlineExceeded
from service.engine.metrics import LaneMetrics
from service.engine.session import Tensor

log = logging.getLogger("sluice")


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One sequence: arrays of shape (length, …) by input name."""

    inputs: dict[str, Tensor]
    length: int


@dataclass(frozen=True, slots=True, eq=False)
class DecodeRow(Row):
    """A source sequence to be decoded, with how."""

    beams: int
    hypotheses: int
    max_steps: int
    alignments: bool = False
    """Whether its hypotheses tell what they attended to; needs a decoder that tells it."""


class Hypothesis(NamedTuple):
    """A decoded sequence without its end token.

    `score` is its log-probability, normalised by length. `weights` (ids, source length), if asked
    for, are the attention over the source at the step that chose each token.
    """

    ids: list[int]
    score: float
    weights: NDArray[np.float32] | None = None


class Token(NamedTuple):
    """The next token of a row that is streamed; its answer is still to come."""

    id: int


class Result(NamedTuple):
    """A row's answer with what it cost."""

    value: Any
    queue_s: float
    infer_s: float
    batch_rows: int


class Ticket:
    """A request in the engine: the future of its rows' results, and the count of what became of it.

    Every accepted row is counted once more: as answered, expired, failed or cancelled, with its
    whole request, for that is how a caller sees it.
    """

    __slots__ = ("_left", "_metrics", "_results", "future", "on_end")

    def __init__(
        self, future: asyncio.Future[list[Result]], rows: int, metrics: LaneMetrics
    ) -> None:
        self.future = future
        self._results: list[Result | None] = [None] * rows
        self._left = rows
        self._metrics = metrics
        self.on_end: Callable[[], None] | None = None
        """Called when the future is done, at once: its own callbacks cost a turn of the loop."""

    def answer(self, index: int, result: Result) -> None:
        """The result of one row; the last one ends the wait."""
        self._results[index] = result
        self._left -= 1
        if not self._left:
            self._metrics.answered(len(self._results))
            self.future.set_result([found for found in self._results if found is not None])
            self._end()

    def fail(self, error: BaseException) -> None:
        """All or nothing: the fault of one row is the fault of its request."""
        count = (
            self._metrics.expired if isinstance(error, DeadlineExceeded) else self._metrics.failed
        )
        count(len(self._results))
        self.future.set_exception(error)
        self._end()

    def cancel(self) -> None:
        """The caller has gone; nothing changes if the answer was there before."""
        if self.future.cancelled() or self.future.cancel():
            self._metrics.cancelled(len(self._results))
            self._end()

    def _end(self) -> None:
        """A fault of one who waits must not cost the others of the batch their answers.

        Whoever hears of the end holds this ticket: let go, or only the collector would free them.
        """
        hear, self.on_end = self.on_end, None
        if hear is not None:
            try:
                hear()
            except Exception:
                log.exception("an answer could not be given")


@dataclass(slots=True, eq=False)
class Job:
    """A row in the engine, and the ticket that it belongs to."""

    row: Row
    ticket: Ticket
    index: int
    arrived: float
    timeout_s: float = math.inf
    on_news: Callable[[int, Token | Result], None] | None = None
    """Hears each token of a row that is streamed, and its result."""
    turn: float = field(default=math.nan)
    started: float = field(default=math.nan)

    @property
    def deadline(self) -> float:
        return self.arrived + self.timeout_s

    @property
    def abandoned(self) -> bool:
        """True once nobody waits for the answer."""
        return self.ticket.future.done()


Settlement = tuple[Job, Result | Token | BaseException]
Deliver = Callable[[Iterable[Settlement]], None]


def settle(settlements: Iterable[Settlement]) -> None:
    """Hand results and faults to those who still wait; runs on the futures' own event loop."""
    for job, outcome in settlements:
        ticket = job.ticket
        if ticket.future.done():
            continue
        if isinstance(outcome, BaseException):
            ticket.fail(outcome)
            continue
        if job.on_news is not None:
            job.on_news(job.index, outcome)
        if isinstance(outcome, Result):
            ticket.answer(job.index, outcome)
