"""The queue: bounded by tokens, all or nothing, nothing lost and nothing served twice."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engine.errors import Draining, QueueFull
from service.engine.queue import RowQueue
from service.engine.rows import Job
from tests.unit.service.engine.fakes import Clock, job, row

LIMIT = 100
REQUESTS = st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=4), max_size=12)


def everyone(waiting: list[Job]) -> list[Job]:
    return waiting


def no_one(waiting: list[Job]) -> list[Job]:
    return []


def fill(queue: RowQueue, lengths: list[int], timeout_s: float = 60.0) -> list[Job]:
    jobs = [job(row(length), timeout_s=timeout_s) for length in lengths]
    queue.put(jobs)
    return jobs


@given(REQUESTS)
def test_only_a_single_request_may_pass_the_token_bound(requests: list[list[int]]) -> None:
    queue, accepted = RowQueue(LIMIT, Clock()), 0
    for lengths in requests:
        fits = queue.tokens + sum(lengths) <= LIMIT or len(queue) == 0
        if fits:
            fill(queue, lengths)
            accepted += 1
        else:
            with pytest.raises(QueueFull):
                fill(queue, lengths)
        assert queue.tokens <= LIMIT or accepted == 1


@given(REQUESTS)
def test_a_request_is_queued_whole_or_not_at_all(requests: list[list[int]]) -> None:
    queue, accepted = RowQueue(LIMIT, Clock()), list[Job]()
    for lengths in requests:
        with suppress(QueueFull):
            accepted += fill(queue, lengths)
        assert len(queue) == len(accepted)
        assert queue.tokens == sum(each.row.length for each in accepted)
    assert queue.take(everyone) == (accepted, [])


@given(REQUESTS, st.data())
def test_each_row_is_taken_once_in_any_choice(
    requests: list[list[int]], data: st.DataObject
) -> None:
    queue, accepted, taken = RowQueue(10**6, Clock()), list[Job](), list[Job]()
    for lengths in requests:
        accepted += fill(queue, lengths)
        picked = queue.take(
            lambda waiting: data.draw(st.lists(st.sampled_from(waiting), unique=True))
        )
        taken += picked[0]
        assert len(queue) == len(accepted) - len(taken)
        assert queue.tokens == sum(each.row.length for each in set(accepted) - set(taken))
    taken += queue.take(everyone)[0]
    assert sorted(map(id, taken)) == sorted(map(id, accepted))
    assert len(queue) == queue.tokens == 0


def test_rows_are_offered_in_the_order_of_their_arrival() -> None:
    queue = RowQueue(LIMIT, Clock())
    first, second, third = fill(queue, [5, 1]) + fill(queue, [9])
    assert queue.take(lambda waiting: waiting[1:2])[0] == [second]
    assert queue.take(everyone)[0] == [first, third]


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=8), st.floats(0, 12))
def test_rows_leave_when_their_deadline_has_passed(timeouts: list[float], passed: float) -> None:
    clock = Clock()
    queue = RowQueue(LIMIT, clock)
    jobs = [fill(queue, [1], timeout)[0] for timeout in timeouts]
    clock.now += passed
    chosen, expired = queue.take(everyone)
    assert expired == [each for each in jobs if each.deadline <= clock.now]
    assert chosen == [each for each in jobs if each.deadline > clock.now]
    assert len(queue) == 0


def test_expired_rows_leave_even_if_none_is_chosen() -> None:
    clock = Clock()
    queue = RowQueue(LIMIT, clock)
    (late,) = fill(queue, [50], timeout_s=1)
    clock.now += 1
    assert queue.take(no_one) == ([], [late])
    assert queue.tokens == 0


def test_abandoned_rows_leave_in_silence_and_free_their_tokens() -> None:
    clock = Clock()
    queue = RowQueue(LIMIT, clock)
    gone, stays, gone_and_late = [*fill(queue, [60, 30]), *fill(queue, [10], timeout_s=1)]
    gone.ticket.cancel()
    gone_and_late.ticket.cancel()
    clock.now += 5
    assert queue.take(no_one) == ([], [])
    assert (len(queue), queue.tokens) == (1, 30)
    assert queue.take(everyone) == ([stays], [])


def test_a_taken_row_knows_when_it_was_taken() -> None:
    clock = Clock()
    queue = RowQueue(LIMIT, clock)
    (only,) = fill(queue, [1])
    clock.now += 3
    queue.take(everyone)
    assert only.started - only.arrived == 3


@pytest.mark.parametrize("rate, queued, seconds", [(10, 100, 10), (50, 100, 2), (500, 100, 1)])
def test_a_refused_caller_is_told_to_come_back_when_the_queue_has_drained(
    rate: float, queued: int, seconds: float
) -> None:
    queue = RowQueue(LIMIT, Clock())
    fill(queue, [queued])
    for _ in range(200):
        queue.observe(int(rate * 2), 2.0)
    with pytest.raises(QueueFull) as refusal:
        fill(queue, [1])
    assert refusal.value.retry_after_s == pytest.approx(seconds)


def test_a_run_that_took_no_time_does_not_disturb_the_drain_rate() -> None:
    queue = RowQueue(LIMIT, Clock())
    fill(queue, [LIMIT])
    queue.observe(100, 0.0)
    with pytest.raises(QueueFull) as refusal:
        fill(queue, [1])
    assert refusal.value.retry_after_s == 1.0


def test_a_refusal_names_what_is_queued_what_was_sent_and_the_limit() -> None:
    queue = RowQueue(LIMIT, Clock())
    fill(queue, [70])
    with pytest.raises(QueueFull, match=r"70 tokens.*31 more.*limit of 100"):
        fill(queue, [31])


def test_an_empty_queue_takes_a_request_beyond_its_bound() -> None:
    queue = RowQueue(LIMIT, Clock())
    assert queue.take(everyone) == ([], [])
    (large,) = fill(queue, [LIMIT + 1])
    assert queue.take(everyone)[0] == [large]


def test_a_closed_queue_refuses_but_still_serves_what_waits() -> None:
    queue = RowQueue(LIMIT, Clock())
    jobs = fill(queue, [1, 2])
    queue.close()
    with pytest.raises(Draining):
        fill(queue, [1])
    assert queue.take(everyone)[0] == jobs
