"""The decoder's lane: who is let in, who leaves, and who is told of a fault."""

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engine import decoder_lane
from service.engine.decoder_lane import DecoderLane
from service.engine.decoding import DecoderBatch, decode_all
from service.engine.errors import DeadlineExceeded
from service.engine.queue import RowQueue
from service.engine.rows import Job
from service.engine.session import Tensor
from tests.unit.service.engine.fakes import (
    DECODER_METRICS,
    SPEC,
    SYMBOLS,
    Clock,
    Deliveries,
    TinyTranslator,
    fault_of,
    job,
    result_of,
    row,
    source,
)

ENOUGH = 1000
ENDLESS = -60.0
SOURCES = st.lists(st.integers(3, SYMBOLS - 1), min_size=1, max_size=5)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    monkeypatch.setattr(decoder_lane, "time", stopped)
    return stopped


class Bench:
    """A lane that is moved a step at a time."""

    def __init__(
        self, clock: Clock, *, rows: int = 16, admissions: int = 4, end: float = ENDLESS
    ) -> None:
        self.model, self.deliver = TinyTranslator(end=end), Deliveries()
        self.batch = DecoderBatch(self.model.encoder, self.model.decoder, SPEC)
        self.queue = RowQueue(10**6, clock)
        self.lane = DecoderLane(
            self.batch, self.queue, DECODER_METRICS, rows=rows, admissions=admissions
        )

    def send(
        self, *sources: list[int], beams: int = 1, max_steps: int = 10, timeout_s: float = math.inf
    ) -> list[Job]:
        jobs = [
            job(source(ids, beams=beams, max_steps=max_steps), timeout_s=timeout_s)
            for ids in sources
        ]
        self.queue.put(jobs)
        return jobs

    def step(self) -> None:
        self.lane.step(self.deliver)

    def serve_all(self) -> None:
        for _ in range(ENOUGH):
            if not self.lane.busy:
                return
            self.step()
        raise AssertionError("the lane does not come to rest")


@given(st.lists(st.tuples(SOURCES, st.integers(1, 4)), min_size=1, max_size=12))
def test_every_source_is_answered_once_as_if_alone(sources: list[tuple[list[int], int]]) -> None:
    bench = Bench(Clock(), end=1.0)
    jobs = [bench.send(ids, beams=beams)[0] for ids, beams in sources]
    bench.serve_all()
    assert len(bench.deliver.settled) == len(set(bench.deliver.settled)) == len(jobs)
    for (ids, beams), each in zip(sources, jobs, strict=True):
        row = source(ids, beams=beams, max_steps=10)
        assert result_of(each).value == decode_all(bench.batch, [row], at_once=1)[0]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=12), st.integers(1, 12), st.integers(1, 5))
def test_admissions_and_rows_keep_their_caps(beams: list[int], rows: int, admissions: int) -> None:
    bench = Bench(Clock(), rows=rows, admissions=admissions)
    for width in beams:
        bench.send([3, 4], beams=width, max_steps=4)
    bench.serve_all()
    assert max(bench.model.admitted) <= admissions
    assert max(bench.model.steps) <= max(rows, *beams)
    assert len(bench.deliver.settled) == len(beams)


@given(st.integers(1, 4), st.integers(2, 4))
def test_a_source_too_wide_for_the_cap_is_decoded_alone(rows: int, wider: int) -> None:
    bench = Bench(Clock(), rows=rows)
    bench.send([3], [4], beams=rows + wider, max_steps=3)
    bench.serve_all()
    assert bench.model.admitted == [1, 1]


def test_a_source_joins_while_others_are_in_flight() -> None:
    bench = Bench(Clock())
    bench.send([3], max_steps=6)
    bench.step()
    bench.send([4, 5], max_steps=2)
    bench.serve_all()
    assert bench.model.steps == [1, 2, 2, 1, 1, 1]


def test_a_full_batch_lets_the_next_in_when_a_row_leaves() -> None:
    bench = Bench(Clock(), rows=2)
    bench.send([3], max_steps=2)
    bench.send([4], max_steps=5)
    bench.send([5], max_steps=1)
    bench.serve_all()
    assert bench.model.steps == [2, 2, 2, 1, 1]


def test_a_full_batch_waits_until_a_group_has_room() -> None:
    bench = Bench(Clock(), rows=16, admissions=2)
    for steps in [2, 3, *[9] * 14]:
        bench.send([3], max_steps=steps)
    for _ in range(3):
        bench.send([4], max_steps=9)
    bench.serve_all()
    assert bench.model.admitted[-2:] == [2, 1]
    assert bench.model.admitted[:-2] == [2] * 8


def test_a_wide_beam_waits_for_its_own_room_alone() -> None:
    bench = Bench(Clock(), rows=16)
    bench.send(*[[3]] * 4, beams=4, max_steps=6)
    bench.step()
    bench.send(*[[4]] * 4, beams=4, max_steps=2)
    bench.serve_all()
    assert max(bench.model.steps) == 16


def test_the_oldest_source_is_encoded_with_its_neighbours_in_length() -> None:
    bench = Bench(Clock(), admissions=2)
    oldest, long, near = bench.send([3, 4], [3, 4, 5, 6, 7], [5])
    bench.step()
    assert set(bench.lane._jobs.values()) == {oldest, near}
    bench.serve_all()
    assert len(result_of(long).value[0].ids) == 10


def test_a_row_in_flight_expires_at_its_deadline(clock: Clock) -> None:
    bench = Bench(clock)
    (late,), (patient,) = bench.send([3], timeout_s=5), bench.send([4], timeout_s=50)
    bench.step()
    clock.now += 5
    bench.step()
    assert isinstance(fault_of(late), DeadlineExceeded)
    assert bench.model.steps == [2, 1]
    bench.serve_all()
    assert len(result_of(patient).value[0].ids) == 10


def test_a_waiting_row_expires_without_being_encoded() -> None:
    clock = Clock()
    bench = Bench(clock)
    (late,) = bench.send([3], timeout_s=5)
    clock.now += 5
    bench.step()
    assert isinstance(fault_of(late), DeadlineExceeded)
    assert bench.model.admitted == bench.model.steps == []


def test_a_cancelled_row_leaves_within_a_step() -> None:
    bench = Bench(Clock())
    gone, stays = bench.send([3], [4], beams=2)
    bench.step()
    gone.ticket.cancel()
    bench.step()
    assert bench.model.steps == [4, 2]
    bench.serve_all()
    assert bench.deliver.settled == [stays]


def test_a_lane_is_idle_once_all_callers_have_gone() -> None:
    bench = Bench(Clock())
    (flying,) = bench.send([3])
    bench.step()
    (waiting,) = bench.send([4])
    flying.ticket.cancel()
    waiting.ticket.cancel()
    bench.step()
    assert not bench.lane.busy
    assert bench.batch.rows == 0


def test_a_failed_step_is_told_to_all_in_flight_and_the_next_ones_are_served() -> None:
    bench = Bench(Clock())
    jobs = bench.send([3], [4])
    bench.step()
    bench.model.step_fault = RuntimeError("no memory")
    jobs += bench.send([5])
    bench.step()
    assert [str(fault_of(each)) for each in jobs] == ["no memory"] * 3
    assert not bench.lane.busy
    bench.model.step_fault = None
    (good,) = bench.send([6], max_steps=2)
    bench.serve_all()
    assert len(result_of(good).value[0].ids) == 2


def test_a_source_that_cannot_be_encoded_fails_alone() -> None:
    bench = Bench(Clock())
    bench.model.poison = 9
    first, bad, second = bench.send([3, 4], [9], [5])
    bench.serve_all()
    assert isinstance(fault_of(bad), ValueError)
    assert len(result_of(first).value[0].ids) == len(result_of(second).value[0].ids) == 10
    assert bench.model.admitted == [3, 1, 1, 1]


def test_a_fault_in_encoding_leaves_the_rows_in_flight_alone() -> None:
    bench = Bench(Clock())
    (flying,) = bench.send([3])
    bench.step()
    bench.model.poison = 9
    (bad,) = bench.send([9])
    bench.serve_all()
    assert isinstance(fault_of(bad), ValueError)
    assert len(result_of(flying).value[0].ids) == 10


def test_a_lane_is_busy_while_it_encodes() -> None:
    bench, seen = Bench(Clock()), list[bool]()
    encode = bench.model.encoder.graph

    def look(feeds: Mapping[str, Tensor]) -> dict[str, Tensor]:
        seen.append(bench.lane.busy)
        return encode(feeds)

    bench.model.encoder.graph = look
    bench.send([3])
    bench.step()
    assert seen == [True]


def test_a_result_says_how_long_it_waited_and_ran(clock: Clock) -> None:
    bench = Bench(clock)
    (only,) = bench.send([3], max_steps=2)
    clock.now += 3
    bench.step()
    clock.now += 4
    bench.step()
    result = result_of(only)
    assert (result.queue_s, result.infer_s, result.batch_rows) == (3, 4, 1)


def test_a_row_without_decode_settings_is_refused_by_its_type() -> None:
    bench = Bench(Clock())
    bench.queue.put([job(row(3))])
    with pytest.raises(TypeError, match="takes DecodeRow, not Row"):
        bench.step()
