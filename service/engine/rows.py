"""What travels through the engine: a row of tensors, the wait for its answer, and the result."""

import asyncio
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.engine.session import Tensor


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


@dataclass(slots=True, eq=False)
class Job:
    """A row in the engine, and the future that waits for its result."""

    row: Row
    future: asyncio.Future[Result]
    arrived: float
    timeout_s: float = math.inf
    on_news: "Callable[[Token | Result], None] | None" = None
    """Hears each token of a row that is streamed, and its result."""
    started: float = field(default=math.nan)

    @property
    def deadline(self) -> float:
        return self.arrived + self.timeout_s

    @property
    def abandoned(self) -> bool:
        """True once nobody waits for the answer."""
        return self.future.cancelled()


Settlement = tuple[Job, Result | Token | BaseException]
Deliver = Callable[[Iterable[Settlement]], None]


def settle(settlements: Iterable[Settlement]) -> None:
    """Hand results and faults to those who still wait; runs on the futures' own event loop."""
    for job, outcome in settlements:
        if job.future.done():
            continue
        if isinstance(outcome, BaseException):
            job.future.set_exception(outcome)
            continue
        if job.on_news is not None:
            job.on_news(outcome)
        if isinstance(outcome, Result):
            job.future.set_result(outcome)
