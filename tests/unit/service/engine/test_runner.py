"""The runner: lanes take turns, callers may leave, and stopping loses nothing accepted."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import pytest

from service.engine import runner
from service.engine.calibration import BatchCost
from service.engine.decoder_lane import DecoderLane
from service.engine.decoding import DecoderBatch
from service.engine.errors import DeadlineExceeded, Draining, QueueFull
from service.engine.queue import RowQueue
from service.engine.rows import Result, Row
from service.engine.runner import Lane, Runner
from service.engine.scheduler import OneShotLane, OneShotModel
from service.engine.session import Tensor
from tests.unit.service.engine.fakes import (
    DECODER_METRICS,
    LANE_METRICS,
    ONE_SHOT,
    SPEC,
    Clock,
    FakeSession,
    OneShotGraph,
    TinyTranslator,
    row,
    source,
)

pytestmark = pytest.mark.timeout(60)  # a lane that starves would wait for ever

ENDLESS = 10**9
A_MINUTE = 60.0


class Bench:
    """A one-shot and a decoder lane on one runner; `gate` holds the one-shot graph back."""

    def __init__(self, *, limit: int = 1000, rows: int = 8) -> None:
        self.log: list[str] = []
        self.spend: Callable[[str], None] = lambda kind: None
        self.gate, self.entered = threading.Event(), threading.Event()
        self.gate.set()
        self.graph, self.model = OneShotGraph(), TinyTranslator(end=-60.0)
        self.stepped, self._decode = threading.Event(), self.model.decoder.graph
        self.model.decoder.graph = self._logged_step
        one_shot = OneShotModel(FakeSession(self._gated), ONE_SHOT)
        batch = DecoderBatch(self.model.encoder, self.model.decoder, SPEC)
        self.short = OneShotLane(
            one_shot, RowQueue(limit), LANE_METRICS, cost=BatchCost(limit, 2.0), rows=rows
        )
        self.decoder = DecoderLane(batch, RowQueue(limit), DECODER_METRICS, rows=8, admissions=4)
        self.runner = Runner([self.decoder, self.short])

    def _gated(self, feeds: Mapping[str, Tensor]) -> dict[str, Tensor]:
        self.log.append("short")
        self.spend("short")
        self.entered.set()
        self.gate.wait()
        return self.graph(feeds)

    def _logged_step(self, feeds: Mapping[str, Tensor]) -> dict[str, Tensor]:
        self.log.append("step")
        self.spend("step")
        self.stepped.set()
        return self._decode(feeds)

    def send(
        self, lane: Lane, *rows: Row, timeout_s: float = A_MINUTE
    ) -> asyncio.Task[list[Result]]:
        return asyncio.create_task(self.runner.submit(lane, rows, timeout_s))

    @property
    def marks_served(self) -> list[int]:
        return [mark for batch in self.graph.batches for _, mark in batch]


async def happens(event: threading.Event) -> None:
    await asyncio.to_thread(event.wait)


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[Bench]:
    bench.runner.start()
    try:
        yield bench
    finally:
        bench.gate.set()
        await bench.runner.drain(A_MINUTE)


async def test_results_come_in_the_order_of_the_rows() -> None:
    async with running(Bench()) as bench:
        results = await bench.send(bench.short, *(row(9 - mark, mark) for mark in range(1, 9)))
    assert [int(result.value["total"]) for result in results] == [
        mark * (9 - mark) for mark in range(1, 9)
    ]


async def test_many_callers_each_get_their_own_rows() -> None:
    async with running(Bench()) as bench:
        calls = [bench.send(bench.short, row(3, mark), row(2, mark)) for mark in range(1, 40)]
        answers = await asyncio.gather(*calls)
    for mark, results in enumerate(answers, start=1):
        assert [int(result.value["total"]) for result in results] == [3 * mark, 2 * mark]


async def test_a_busy_decoder_does_not_starve_a_short_request() -> None:
    async with running(Bench()) as bench:
        endless = bench.send(bench.decoder, source([3, 4], max_steps=ENDLESS))
        await happens(bench.stepped)
        await bench.send(bench.short, row(3, 1))
        assert not endless.done()
        endless.cancel()


async def test_lanes_share_the_time_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(runner, "time", clock)
    bench = Bench(rows=1)
    seconds = {"short": 3.0, "step": 1.0}
    bench.spend = lambda kind: setattr(clock, "now", clock.now + seconds[kind])
    async with running(bench):
        endless = bench.send(bench.decoder, source([3, 4], max_steps=ENDLESS), timeout_s=10**9)
        await happens(bench.stepped)
        rows = [row(2, mark) for mark in range(1, 9)]
        await bench.send(bench.short, *rows, timeout_s=10**9)
        endless.cancel()
    first = bench.log.index("short")
    served = bench.log[first + 1 : len(bench.log) - bench.log[::-1].index("short")]
    assert served == ["step", "step", "step", "short"] * 7


async def test_rows_that_wait_for_the_session_share_its_next_batch() -> None:
    async with running(Bench()) as bench:
        bench.gate.clear()
        first = bench.send(bench.short, row(2, 1))
        await happens(bench.entered)
        others = [bench.send(bench.short, row(2, mark)) for mark in (2, 3, 4)]
        await asyncio.sleep(0)
        bench.gate.set()
        await asyncio.gather(first, *others)
    assert [len(batch) for batch in bench.graph.batches] == [1, 3]


async def test_the_rows_of_a_caller_that_left_are_never_run() -> None:
    async with running(Bench()) as bench:
        bench.gate.clear()
        first = bench.send(bench.short, row(2, 1))
        await happens(bench.entered)
        gone, stays = (
            bench.send(bench.short, row(2, 2), row(2, 3)),
            bench.send(bench.short, row(2, 4)),
        )
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        bench.gate.set()
        await asyncio.gather(first, stays)
    assert bench.marks_served == [1, 4]


async def test_a_caller_that_left_takes_its_rows_out_of_the_running_decoder() -> None:
    async with running(Bench()) as bench:
        endless = bench.send(bench.decoder, source([3], max_steps=ENDLESS))
        await happens(bench.stepped)
        endless.cancel()
        assert await bench.runner.drain(A_MINUTE)
    assert not bench.decoder.busy


async def test_the_other_rows_of_a_failed_caller_leave_the_running_decoder() -> None:
    async with running(Bench()) as bench:
        bench.model.poison = 9
        with pytest.raises(ValueError, match="poison"):
            await bench.send(bench.decoder, source([9]), source([3], max_steps=ENDLESS))
        assert await bench.runner.drain(A_MINUTE)
    assert not bench.decoder.busy


async def test_one_bad_row_fails_its_caller_and_no_other() -> None:
    async with running(Bench()) as bench:
        bench.graph.poison = {3}
        bench.gate.clear()
        first = bench.send(bench.short, row(2, 1))
        await happens(bench.entered)
        good, bad = (
            bench.send(bench.short, row(2, 2)),
            bench.send(bench.short, row(2, 3), row(2, 4)),
        )
        await asyncio.sleep(0)
        bench.gate.set()
        with pytest.raises(ValueError, match="poison"):
            await bad
        assert [len(await call) for call in (first, good)] == [1, 1]


async def test_a_passed_deadline_is_told_to_the_caller() -> None:
    async with running(Bench()) as bench:
        with pytest.raises(DeadlineExceeded, match="no answer within 0 s"):
            await bench.send(bench.short, row(2, 1), timeout_s=0)
    assert bench.marks_served == []


async def test_a_full_queue_refuses_and_what_waits_is_still_served() -> None:
    async with running(Bench(limit=10)) as bench:
        bench.gate.clear()
        first = bench.send(bench.short, row(2, 1))
        await happens(bench.entered)
        waiting = bench.send(bench.short, row(10, 2))
        with pytest.raises(QueueFull):
            await bench.send(bench.short, row(1, 3))
        bench.gate.set()
        await asyncio.gather(first, waiting)
    assert bench.marks_served == [1, 2]


async def test_draining_finishes_accepted_rows_and_refuses_new_ones() -> None:
    async with running(Bench()) as bench:
        bench.gate.clear()
        run = bench.send(bench.short, row(2, 1))
        await happens(bench.entered)
        waiting = bench.send(bench.short, row(2, 2))
        decoding = bench.send(bench.decoder, source([3, 4], max_steps=20))
        await asyncio.sleep(0)
        drained = asyncio.create_task(bench.runner.drain(A_MINUTE))
        await asyncio.sleep(0)
        for lane in (bench.short, bench.decoder):
            with pytest.raises(Draining):
                await bench.send(lane, row(2, 3))
        bench.gate.set()
        assert await drained
        assert [len(await call) for call in (run, waiting, decoding)] == [1, 1, 1]


async def test_draining_that_takes_too_long_says_so() -> None:
    async with running(Bench()) as bench:
        bench.gate.clear()
        run = bench.send(bench.short, row(2, 1))
        await happens(bench.entered)
        assert not await bench.runner.drain(0)
        bench.gate.set()
        assert len(await run) == 1


async def test_the_thread_ends_when_the_runner_has_drained() -> None:
    bench = Bench()
    bench.runner.start()
    assert await bench.runner.drain(A_MINUTE)
    await asyncio.to_thread(bench.runner._thread.join)
    assert not bench.runner._thread.is_alive()
