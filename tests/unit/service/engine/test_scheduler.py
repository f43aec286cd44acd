"""Batches of one-shot models: bounded, fair, and each row's answer is its own."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from service.engine.calibration import BatchCost
from service.engine.errors import BatchMismatch, DeadlineExceeded, QueueFull
from service.engine.queue import RowQueue
from service.engine.rows import Job, Result
from service.engine.scheduler import OneShotLane, OneShotModel
from service.engine.session import Tensor
from tests.unit.service.engine.fakes import (
    LANE_METRICS,
    ONE_SHOT,
    Clock,
    Counts,
    Deliveries,
    FakeSession,
    OneShotGraph,
    fault_of,
    job,
    jobs,
    result_of,
    row,
)

ENOUGH = 1000
LENGTHS = st.integers(1, 30)


class Bench:
    """A lane with a simulated clock."""

    def __init__(
        self, *, budget: int = 64, rows: int = 8, limit: int = 10**6, step_rows: float = 1e6
    ) -> None:
        """Steps cost so much beside their rows that padding does not matter, if not told."""
        self.clock, self.graph, self.deliver = Clock(), OneShotGraph(), Deliveries()
        self.queue = RowQueue(limit, self.clock)
        model = OneShotModel(FakeSession(self.graph), ONE_SHOT)
        cost = BatchCost(budget, step_rows)
        self.lane = OneShotLane(model, self.queue, LANE_METRICS, cost=cost, rows=rows)

    def put(self, *jobs: Job) -> None:
        self.queue.put(jobs)

    def serve_all(self) -> None:
        for _ in range(ENOUGH):
            if not self.lane.busy:
                return
            self.lane.step(self.deliver)
        raise AssertionError("the lane does not come to rest")


def jobs_of(lengths: list[int]) -> list[Job]:
    return [job(row(length, mark)) for mark, length in enumerate(lengths, start=1)]


def answer(of: Job) -> dict[str, Tensor]:
    result = result_of(of)
    assert isinstance(result, Result)
    value: dict[str, Tensor] = result.value
    return value


@given(st.lists(LENGTHS, min_size=1, max_size=40), st.integers(1, 100), st.integers(1, 9))
def test_batches_keep_rows_and_budget_unless_the_oldest_is_alone(
    lengths: list[int], budget: int, rows: int
) -> None:
    bench = Bench(budget=budget, rows=rows)
    bench.put(*jobs_of(lengths))
    bench.serve_all()
    for batch in bench.graph.batches:
        longest = max(length for length, _ in batch)
        assert len(batch) <= rows
        assert len(batch) == 1 or longest * len(batch) <= budget


@given(st.lists(LENGTHS, min_size=1, max_size=40))
def test_the_oldest_row_is_always_in_the_batch(lengths: list[int]) -> None:
    bench = Bench()
    bench.put(*jobs_of(lengths))
    bench.serve_all()
    waiting = list(range(1, len(lengths) + 1))
    for batch in bench.graph.batches:
        marks = [mark for _, mark in batch]
        assert waiting[0] in marks
        waiting = [mark for mark in waiting if mark not in marks]
    assert waiting == []


@given(st.lists(LENGTHS, min_size=1, max_size=20))
def test_every_row_gets_its_own_answer_without_padding(lengths: list[int]) -> None:
    bench = Bench()
    jobs = jobs_of(lengths)
    bench.put(*jobs)
    bench.serve_all()
    for mark, each in enumerate(jobs, start=1):
        assert answer(each)["doubled"].tolist() == [2 * mark] * each.row.length
        assert answer(each)["total"] == mark * each.row.length


@given(st.lists(LENGTHS, min_size=2, max_size=30))
def test_a_batch_takes_those_nearest_in_length_to_the_oldest(lengths: list[int]) -> None:
    bench = Bench()
    bench.put(*jobs_of(lengths))
    bench.lane.step(bench.deliver)
    taken = {mark for _, mark in bench.graph.batches[0]}
    away = [abs(length - lengths[0]) for length in lengths]
    left = [away[mark - 1] for mark in range(1, len(lengths) + 1) if mark not in taken]
    assert all(away[mark - 1] <= min(left, default=99) for mark in taken)


def cost_of_a_token(lengths: list[int], step_rows: float) -> float:
    """In rows: what a batch takes, for each token that is no padding."""
    return max(lengths) * (step_rows + len(lengths)) / sum(lengths)


@given(st.lists(LENGTHS, min_size=1, max_size=8), st.floats(0.1, 20))
def test_no_other_number_of_neighbours_costs_less_a_token(
    lengths: list[int], step_rows: float
) -> None:
    bench = Bench(budget=10**6, step_rows=step_rows)
    bench.put(*jobs_of(lengths))
    bench.lane.step(bench.deliver)
    near = sorted(lengths, key=lambda length: abs(length - lengths[0]))
    taken = len(bench.graph.batches[0])
    few = min(len(near), max(1, int(2 * step_rows)))
    least = min(cost_of_a_token(near[:rows], step_rows) for rows in range(few, len(near) + 1))
    assert taken >= few
    assert cost_of_a_token(near[:taken], step_rows) == pytest.approx(least)


@pytest.mark.parametrize("step_rows, rows", [(0.5, 2), (1.0, 2), (2.0, 4), (50.0, 4)])
def test_a_neighbour_joins_a_small_batch_or_one_that_it_pads_little(
    step_rows: float, rows: int
) -> None:
    bench = Bench(budget=10**6, step_rows=step_rows)
    bench.put(*jobs_of([6, 30, 6, 30]))
    bench.lane.step(bench.deliver)
    assert len(bench.graph.batches[0]) == rows


def test_rows_that_fit_are_served_in_one_run() -> None:
    bench = Bench(budget=64, rows=8)
    bench.put(*jobs_of([8] * 8))
    bench.lane.step(bench.deliver)
    assert [len(batch) for batch in bench.graph.batches] == [8]


@given(st.lists(LENGTHS, min_size=1, max_size=8), st.data())
def test_bad_rows_fail_alone_after_one_retry(lengths: list[int], data: st.DataObject) -> None:
    bench = Bench(budget=10**6)
    jobs = jobs_of(lengths)
    bench.graph.poison = data.draw(st.sets(st.integers(1, len(jobs)), min_size=1))
    bench.put(*jobs)
    bench.lane.step(bench.deliver)
    for mark, each in enumerate(jobs, start=1):
        if mark in bench.graph.poison:
            assert isinstance(fault_of(each), ValueError)
        else:
            assert answer(each)["total"] == mark * each.row.length
    tries = [mark for batch in bench.graph.batches for _, mark in batch]
    assert all(tries.count(mark) <= 2 for mark in tries)


def test_a_row_that_fails_alone_is_not_tried_again() -> None:
    bench = Bench()
    bench.graph.poison = {1}
    bench.put(*jobs_of([3]))
    bench.serve_all()
    assert len(bench.graph.batches) == 1


def test_a_good_row_behind_a_failed_batch_is_served() -> None:
    bench = Bench()
    bench.graph.poison = {1}
    bench.put(*jobs_of([3]))
    bench.serve_all()
    (good,) = [job(row(4, 9))]
    bench.put(good)
    bench.serve_all()
    assert answer(good)["total"] == 36


@pytest.mark.parametrize("change", [-1, 1])
def test_another_number_of_rows_out_than_in_is_a_batch_mismatch(change: int) -> None:
    def graph(feeds: Mapping[str, Tensor]) -> dict[str, Tensor]:
        rows = len(feeds["lengths"]) + change
        return {"doubled": np.zeros((rows, 9), np.int64), "total": np.zeros(rows, np.int64)}

    model = OneShotModel(FakeSession(graph), ONE_SHOT)
    with pytest.raises(BatchMismatch, match=f"2 rows went into the session and {2 + change} came"):
        model.run([row(3), row(4)])


def test_a_result_says_what_it_cost() -> None:
    bench = Bench()
    first, second = jobs_of([4, 4])
    bench.put(first, second)
    bench.clock.now += 2.5
    bench.lane.step(bench.deliver)
    result = result_of(first)
    assert (result.queue_s, result.batch_rows) == (2.5, 2)
    assert result.infer_s >= 0


def test_a_lane_is_busy_while_it_runs_and_while_a_row_waits() -> None:
    bench, seen = Bench(), list[bool]()

    def graph(feeds: Mapping[str, Tensor]) -> dict[str, Tensor]:
        seen.append(bench.lane.busy)
        return bench.graph(feeds)

    model = OneShotModel(FakeSession(graph), ONE_SHOT)
    bench.lane = OneShotLane(model, bench.queue, LANE_METRICS, cost=BatchCost(64, 1.0), rows=8)
    assert not bench.lane.busy
    bench.put(*jobs_of([3]))
    assert bench.lane.busy
    bench.lane.step(bench.deliver)
    assert seen == [True]
    assert not bench.lane.busy


class AnyHistory(RuleBasedStateMachine):
    """Requests, clients that go, time that passes and bad rows, in any order."""

    @initialize(budget=st.integers(1, 120), rows=st.integers(1, 6))
    def open(self, budget: int, rows: int) -> None:
        self.bench = Bench(budget=budget, rows=rows, limit=150)
        self.counts = Counts()
        self.jobs: list[Job] = []
        self.served: set[int] = set()

    @rule(lengths=st.lists(LENGTHS, min_size=1, max_size=5), timeout_s=st.integers(1, 20))
    def send(self, lengths: list[int], timeout_s: int) -> None:
        first = len(self.jobs) + 1
        rows = [row(length, mark) for mark, length in enumerate(lengths, start=first)]
        now = self.bench.clock.now
        try:
            self.bench.queue.admit(sum(lengths), timeout_s)
        except QueueFull:
            return
        sent = jobs(rows, arrived=now, timeout_s=timeout_s, metrics=self.counts)
        self.bench.queue.put(sent)
        self.jobs += sent

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def abandon(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.jobs)).ticket
        if not ticket.future.done():
            ticket.cancel()
            self.bench.queue.discard(ticket)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def poison(self, data: st.DataObject) -> None:
        self.bench.graph.poison.add(data.draw(st.integers(1, len(self.jobs))))

    @rule(seconds=st.integers(1, 15))
    def wait(self, seconds: int) -> None:
        self.bench.clock.now += seconds

    @rule()
    def step(self) -> None:
        waiting = {
            mark: each
            for mark, each in enumerate(self.jobs, start=1)
            if not each.ticket.future.done() and mark not in self.served
        }
        now, before = self.bench.clock.now, len(self.bench.graph.batches)
        self.bench.lane.step(self.bench.deliver)
        served = {mark for batch in self.bench.graph.batches[before:] for _, mark in batch}
        alive = {mark: each for mark, each in waiting.items() if each.deadline > now}
        assert served <= alive.keys()
        assert bool(served) == bool(alive)
        if alive:
            assert min(alive, key=lambda mark: alive[mark].turn) in served
        for mark in waiting.keys() - alive.keys():
            assert isinstance(fault_of(waiting[mark]), DeadlineExceeded)
        self.served |= served

    @invariant()
    def none_is_answered_twice(self) -> None:
        settled = self.bench.deliver.settled
        assert len(settled) == len(set(settled))

    def teardown(self) -> None:
        if hasattr(self, "bench"):
            self.bench.serve_all()
            assert all(each.ticket.future.done() for each in self.jobs)
            assert (len(self.bench.queue), self.bench.queue.tokens) == (0, 0)
            assert self.counts.unaccounted == 0


test_any_history_answers_each_row_once_or_not_at_all = AnyHistory.TestCase


def test_a_fault_outside_the_session_leaves_the_lane_at_rest() -> None:
    """A lane that stayed busy would keep the runner's thread spinning, and a drain waiting."""
    bench = Bench()
    bench.put(*jobs_of([3]))

    def broken(settlements: object) -> None:
        raise RuntimeError("the event loop is gone")

    with pytest.raises(RuntimeError, match="gone"):
        bench.lane.step(broken)
    assert not bench.lane.busy
