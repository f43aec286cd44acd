"""A task ready to serve: its predictor, its lane, and the runner that serves the lane."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from service.engine.errors import DeadlineExceeded
from service.engine.rows import Result, Row, Ticket, Token
from service.engine.runner import Lane, Runner
from service.tasks.base import Parameters, Predictor, Prepared
from service.tasks.errors import BlankText, ForeignScript, InputRefused, InputTooLong, NoLetters
from service.tasks.streaming import TextStream

_LONG_CHARS = 20_000
"""More text than this is cut and put together off the event loop (some 10 ms of work)."""

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


class Work(NamedTuple):
    """One text in the engine, as one row."""

    prepared: Prepared
    ticket: Ticket
    tokenize_s: float


class TaskEndpoint:
    """Texts in, answers out, batched with what other callers sent."""

    def __init__(self, predictor: Predictor[Any], lane: Lane, runner: Runner) -> None:
        self.predictor, self.lane = predictor, lane
        self._runner = runner

    def admit(self, tokens: int, timeout_s: float) -> None:
        """QueueFull or Draining if a request of so many tokens would be refused now."""
        self.lane.queue.admit(tokens, timeout_s)

    async def answer(
        self, texts: Sequence[str], parameters: Parameters, timeout_s: float
    ) -> Answered:
        """Answer all texts or none.

        Raises InputRefused before any row is queued, else what `Runner.submit` raises.
        """
        self.predictor.check_call(len(texts), parameters)
        return await self.answer_each(texts, [parameters] * len(texts), timeout_s)

    async def answer_each(
        self, texts: Sequence[str], parameters: Sequence[Parameters], timeout_s: float
    ) -> Answered:
        """Like `answer`, each text with parameters of its own."""
        began = time.monotonic()
        long = sum(map(len, texts)) > _LONG_CHARS
        prepared = await _run(long, lambda: self._prepare(texts, parameters))
        tokenize_s = time.monotonic() - began
        rows = [row for part in prepared for row in part.rows]
        results = await self._infer(rows, timeout_s, tokenize_s)
        return await _run(long, lambda: self._answered(prepared, results, tokenize_s))

    def begin(self, text: str, parameters: Parameters, timeout_s: float) -> Work | None:
        """Queue a text of at most some thousand characters; None if it is not exactly one row,
        or no time is left for it.

        Raises like `answer`. Unless it returns work, nothing has been queued.
        """
        began = time.monotonic()
        self.predictor.check_call(1, parameters)
        prepared = self.predictor.prepare(text, parameters)
        tokenize_s = time.monotonic() - began
        if len(prepared.rows) != 1 or tokenize_s >= timeout_s:
            return None
        ticket = self._runner.post(self.lane, prepared.rows, timeout_s - tokenize_s)
        return Work(prepared, ticket, tokenize_s)

    def finish(self, work: Work) -> Answered:
        """The answer of work that is done; raises what the engine did."""
        return self._answered([work.prepared], work.ticket.future.result(), work.tokenize_s)

    def withdraw(self, work: Work) -> None:
        """Nobody waits for this work any more."""
        self._runner.withdraw(self.lane, work.ticket)

    def _answered(
        self, prepared: Sequence[Prepared], results: Sequence[Result], tokenize_s: float
    ) -> Answered:
        values = iter([result.value for result in results])
        return Answered(
            [self.predictor.answer(part, [next(values) for _ in part.rows]) for part in prepared],
            queue_s=max((result.queue_s for result in results), default=0.0),
            tokenize_s=tokenize_s,
            infer_s=max((result.infer_s for result in results), default=0.0),
            batch_rows=max((result.batch_rows for result in results), default=0),
        )

    async def stream(
        self, text: str, parameters: Parameters, timeout_s: float
    ) -> AsyncGenerator[str | Answered, None]:
        """Pieces of the answer's text as they are found, and at the end the whole answer.

        Raises like `answer`, before the first piece or between two. Closing the iterator takes the
        rows out of the engine.
        """
        began = time.monotonic()
        prepared = self._prepare_one(0, text, self.predictor.streamed(parameters))
        tokenize_s = time.monotonic() - began

        def text_of(row: int, ids: Sequence[int], whole: bool) -> str:
            return self.predictor.text_of(prepared, row, ids, whole=whole)

        stream = TextStream(self.predictor.spacing(prepared), text_of)
        work = asyncio.ensure_future(self._infer(prepared.rows, timeout_s, tokenize_s, stream.hear))
        work.add_done_callback(stream.end)
        try:
            async for piece in stream.pieces():
                yield piece
            results = work.result()
            yield self._answered([prepared], results, tokenize_s)
        finally:
            work.cancel()

    def _prepare(self, texts: Sequence[str], parameters: Sequence[Parameters]) -> list[Prepared]:
        asked = enumerate(zip(texts, parameters, strict=True))
        return [self._prepare_one(index, text, each) for index, (text, each) in asked]

    def _prepare_one(self, index: int, text: str, parameters: Parameters) -> Prepared:
        try:
            return self.predictor.prepare(text, parameters)
        except (BlankText, ForeignScript, InputTooLong, NoLetters) as error:
            raise TextRefused(index, error) from error

    async def _infer(
        self,
        rows: Sequence[Row],
        timeout_s: float,
        spent_s: float,
        on_news: Callable[[int, Token | Result], None] | None = None,
    ) -> list[Result]:
        """Results of `rows`; there are none to wait for where nothing is to be inferred."""
        if not rows:
            return []
        left_s = timeout_s - spent_s
        if left_s <= 0:
            raise DeadlineExceeded(timeout_s)
        return await self._runner.submit(self.lane, rows, left_s, on_news)


async def _run(off_loop: bool, work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work) if off_loop else work()
