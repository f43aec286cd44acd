"""A task ready to serve: its predictor, its lane, and the runner that serves the lane."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from service.engine.errors import DeadlineExceeded
from service.engine.rows import Result, Row
from service.engine.runner import Lane, Runner
from service.tasks.base import Parameters, Predictor, Prepared
from service.tasks.errors import BlankText, InputRefused, InputTooLong

_LONG_CHARS = 20_000
"""More text than this is cut and put together off the event loop (some 10 ms of work)."""
_GRACE_S = 0.5
"""How much later than a row's deadline the endpoint gives up by itself, should a session hang."""

T = TypeVar("T")


class TextRefused(InputRefused):
    """One text of a request was refused; `index` counts from 0, `cause` says why."""

    def __init__(self, index: int, cause: InputRefused) -> None:
        super().__init__(f"inputs[{index}]: {cause}")
        self.index, self.cause = index, cause


class Answered(NamedTuple):
    """Answers in the order of the texts, with what they cost at most a row."""

    answers: list[Any]
    queue_s: float
    tokenize_s: float
    infer_s: float
    batch_rows: int


class TaskEndpoint:
    """Texts in, answers out, batched with what other callers sent."""

    def __init__(self, predictor: Predictor[Any], lane: Lane, runner: Runner) -> None:
        self.predictor = predictor
        self._lane, self._runner = lane, runner

    async def answer(
        self, texts: Sequence[str], parameters: Parameters, timeout_s: float
    ) -> Answered:
        """Answer all texts or none.

        Raises InputRefused before any row is queued, else what `Runner.submit` raises.
        """
        began = time.monotonic()
        self.predictor.check_call(len(texts), parameters)
        long = sum(map(len, texts)) > _LONG_CHARS
        prepared = await _run(long, lambda: self._prepare(texts, parameters))
        tokenize_s = time.monotonic() - began
        rows = [row for part in prepared for row in part.rows]
        results = await self._infer(rows, timeout_s, tokenize_s) if rows else []
        answers = await _run(long, lambda: self._answers(prepared, results))
        return Answered(
            answers,
            queue_s=max((result.queue_s for result in results), default=0.0),
            tokenize_s=tokenize_s,
            infer_s=max((result.infer_s for result in results), default=0.0),
            batch_rows=max((result.batch_rows for result in results), default=0),
        )

    def _prepare(self, texts: Sequence[str], parameters: Parameters) -> list[Prepared]:
        return [self._prepare_one(index, text, parameters) for index, text in enumerate(texts)]

    def _prepare_one(self, index: int, text: str, parameters: Parameters) -> Prepared:
        try:
            return self.predictor.prepare(text, parameters)
        except (BlankText, InputTooLong) as error:
            raise TextRefused(index, error) from error

    async def _infer(self, rows: Sequence[Row], timeout_s: float, spent_s: float) -> list[Result]:
        left_s = timeout_s - spent_s
        if left_s <= 0:
            raise DeadlineExceeded(timeout_s)
        try:
            async with asyncio.timeout(left_s + _GRACE_S):
                return await self._runner.submit(self._lane, rows, left_s)
        except TimeoutError:
            raise DeadlineExceeded(timeout_s) from None

    def _answers(self, prepared: Sequence[Prepared], results: Sequence[Result]) -> list[Any]:
        values = iter([result.value for result in results])
        return [self.predictor.answer(part, [next(values) for _ in part.rows]) for part in prepared]


async def _run(off_loop: bool, work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work) if off_loop else work()
