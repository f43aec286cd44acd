"""The queue: bounded by tokens, all or nothing, nothing lost and nothing served twice."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engine.errors import Draining, QueueFull
from service.engine.queue import RowQueue
from service.engine.rows import Job
from tests.unit.service.engine.fakes import Clock, jobs, row

LIMIT = 100
REQUESTS = st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=4), max_size=12)


def everyone(waiting: list[Job]) -> list[Job]:
    return waiting


def no_one(waiting: list[Job]) -> list[Job]:
    return []


def fill(queue: RowQueue, lengths: list[int], timeout_s: float = 60.0) -> list[Job]:
    """Queue one request of rows of these lengths."""
    filled = jobs([row(length) for length in lengths], arrived=queue._clock(), timeout_s=timeout_s)
    queue.put(filled)
    return filled


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
    taken, expired = queue.take(everyone)
    assert (set(taken), expired) == (set(accepted), [])


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
    clock = Clock()
    queue = RowQueue(LIMIT, clock)
    first, second = fill(queue, [5, 1])
    clock.now += 1
    (third,) = fill(queue, [9])
    assert queue.take(lambda waiting: waiting[1:2])[0] == [second]
    assert queue.take(everyone)[0] == [first, third]


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=8), st.floats(0, 12))
def test_rows_leave_when_their_deadline_has_passed(timeouts: list[float], passed: float) -> None:
    clock = Clock()
    queue = RowQueue(LIMIT, clock)
    waiting = [fill(queue, [1], timeout)[0] for timeout in timeouts]
    clock.now += passed
    chosen, expired = queue.take(everyone)
    assert expired == [each for each in waiting if each.deadline <= clock.now]
    assert chosen == [each for each in waiting if each.deadline > clock.now]
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
    gone, stays, gone_and_late = [
        *fill(queue, [60]),
        *fill(queue, [30]),
        *fill(queue, [10], timeout_s=1),
    ]
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


def drain(queue: RowQueue, clock: Clock, *, rate: float, steps: int = 100) -> None:
    """Let rows of ten tokens go at `rate` tokens a second, while others wait."""
    for _ in range(steps):
        fill(queue, [10])
        queue.take(lambda waiting: waiting[-1:])
        clock.now += 10 / rate


@pytest.mark.parametrize("rate, seconds", [(2, 25), (10, 5), (100, 1)])
def test_a_refused_caller_is_told_when_the_queue_will_have_drained(
    rate: float, seconds: float
) -> None:
    clock = Clock()
    queue = RowQueue(LIMIT, clock)
    fill(queue, [50], timeout_s=math.inf)
    drain(queue, clock, rate=rate)
    with pytest.raises(QueueFull) as refusal:
        fill(queue, [60])
    assert refusal.value.retry_after_s == pytest.approx(seconds, rel=0.02)


def test_idle_time_is_no_slow_draining() -> None:
    clock = Clock()
    queue = RowQueue(LIMIT, clock)
    fill(queue, [50], timeout_s=math.inf)
    drain(queue, clock, rate=10)
    queue.take(everyone)
    queue.take(everyone)
    clock.now += 1000
    fill(queue, [50])
    queue.take(no_one)
    with pytest.raises(QueueFull) as refusal:
        fill(queue, [60])
    assert refusal.value.retry_after_s == pytest.approx(5, rel=0.05)


def test_what_could_not_be_served_in_time_is_refused_at_once() -> None:
    clock = Clock()
    queue = RowQueue(LIMIT, clock)
    fill(queue, [50], timeout_s=math.inf)
    drain(queue, clock, rate=10)
    with pytest.raises(QueueFull, match="try again in 5 s"):
        fill(queue, [1], timeout_s=4.9)
    fill(queue, [1], timeout_s=6)


def test_nobody_is_let_in_to_wait_longer_than_the_bound() -> None:
    clock = Clock()
    queue = RowQueue(LIMIT, clock, limit_s=5.5)
    fill(queue, [50], timeout_s=math.inf)
    drain(queue, clock, rate=10)
    fill(queue, [6])
    with pytest.raises(QueueFull, match="limit of 55; try again in 6 s"):
        fill(queue, [1])
    queue.take(lambda waiting: waiting[-1:])
    fill(queue, [1])


def test_the_later_rows_of_a_large_request_keep_nobody_out() -> None:
    queue = RowQueue(10**6, Clock(), limit_s=1)
    large = jobs([row(1_000) for _ in range(20)])
    queue.put(large)
    fill(queue, [5])
    queue.discard(large[0].ticket)
    fill(queue, [5_001])
    with pytest.raises(QueueFull):
        fill(queue, [5])


def test_admission_can_be_asked_for_before_any_work() -> None:
    queue = RowQueue(LIMIT, Clock())
    queue.admit(LIMIT + 1, 60)
    fill(queue, [60])
    queue.admit(40, 60)
    with pytest.raises(QueueFull):
        queue.admit(41, 60)
    queue.close()
    with pytest.raises(Draining):
        queue.admit(1, 60)


def test_a_large_request_lets_small_ones_pass_between_its_rows() -> None:
    clock = Clock()
    queue = RowQueue(10**6, clock)
    large = jobs([row(100) for _ in range(200)], arrived=clock.now)
    queue.put(large)
    clock.now += 0.1
    (small,) = jobs([row(5)], arrived=clock.now)
    queue.put([small])
    ahead = [queue.take(lambda waiting: waiting[:1])[0][0] for _ in range(10)]
    assert small in ahead
    assert large[0] in ahead


def test_small_requests_without_end_do_not_starve_a_large_one() -> None:
    clock = Clock()
    queue = RowQueue(10**6, clock)
    large = jobs([row(100) for _ in range(20)], arrived=clock.now)
    queue.put(large)
    left = set(large)
    for _ in range(1000):
        queue.put(jobs([row(100)], arrived=clock.now))
        left -= set(queue.take(lambda waiting: waiting[:1])[0])
        clock.now += 100 / 5000
    assert not left


def test_the_rows_of_a_caller_who_has_gone_leave_at_once() -> None:
    queue = RowQueue(LIMIT, Clock())
    gone, (stays,) = jobs([row(10), row(20)]), jobs([row(5)])
    queue.put(gone)
    queue.put([stays])
    queue.discard(gone[0].ticket)
    assert (len(queue), queue.tokens) == (1, 5)
    assert queue.take(everyone)[0] == [stays]


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
    filled = fill(queue, [1, 2])
    queue.close()
    with pytest.raises(Draining):
        fill(queue, [1])
    assert queue.take(everyone)[0] == filled
