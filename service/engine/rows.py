"""What travels through the engine: a row of tensors, the wait for its answer, and the result."""

import asyncio
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

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


class Hypothesis(NamedTuple):
    """A decoded sequence without its end token; `score` is its mean log-probability a token."""

    ids: list[int]
    score: float


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
    started: float = field(default=math.nan)

    @property
    def deadline(self) -> float:
        return self.arrived + self.timeout_s

    @property
    def abandoned(self) -> bool:
        """True once nobody waits for the answer."""
        return self.future.cancelled()


Settlement = tuple[Job, Result | BaseException]
Deliver = Callable[[Iterable[Settlement]], None]


def settle(settlements: Iterable[Settlement]) -> None:
    """Hand results and faults to those who still wait; runs on the futures' own event loop."""
    for job, outcome in settlements:
        if job.future.done():
            continue
        if isinstance(outcome, BaseException):
            job.future.set_exception(outcome)
        else:
            job.future.set_result(outcome)
