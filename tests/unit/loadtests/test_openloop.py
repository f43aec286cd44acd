"""The open-loop generator: who is charged for a wait, and how answers are told apart."""

from itertools import pairwise

import pytest

from loadtests.openloop import Answer, arrivals, response_size, summarise


def test_a_latency_counts_from_the_time_the_request_was_due() -> None:
    stalled = [Answer(due=0.1 * i, came=1.0, status=200) for i in range(10)]
    found = summarise(stalled, rate=10, seconds=1, sent=10, cpu_s=0)
    assert found.p50_ms == pytest.approx(550)


def test_answers_after_the_end_of_the_run_are_no_goodput() -> None:
    answers = [Answer(0.0, 0.5, 200), Answer(0.9, 3.0, 200)]
    assert summarise(answers, rate=2, seconds=1, sent=2, cpu_s=0).goodput == 1


def test_refusals_are_counted_and_timed_apart_from_answers() -> None:
    answers = [Answer(0.0, 0.4, 200), Answer(0.0, 0.002, 429), Answer(0.0, 0.004, 503)]
    found = summarise(answers, rate=4, seconds=1, sent=4, cpu_s=0)
    assert (found.refused, found.lost, found.goodput) == (2, 1, 1)
    assert found.refusal_p50_ms == pytest.approx(3)
    assert found.p50_ms == pytest.approx(400)


def test_arrivals_have_the_rate_and_the_spread_of_a_poisson_process() -> None:
    times = arrivals(rate=100, seconds=100)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert len(times) == pytest.approx(10_000, rel=0.05)
    assert variance == pytest.approx(mean**2, rel=0.1)


@pytest.mark.parametrize(
    "data, size",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", 40),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[", 47),
        (b"HTTP/1.1 200 OK\r\nContent-Le", None),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[]\r\n", None),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n", 59),
    ],
)
def test_the_end_of_a_response_is_found(data: bytes, size: int | None) -> None:
    assert response_size(data) == size
