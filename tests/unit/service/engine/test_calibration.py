"""The calibration: the smallest batch that is as good as the best, and what a step costs."""

from collections.abc import Sequence

import pytest

from service.engine.calibration import measure_cost
from service.engine.rows import Row
from tests.unit.service.engine.fakes import Clock, row


@pytest.mark.parametrize(
    "start_s, budget", [(0.0, 16 * 20), (0.05, 32 * 20), (0.2, 64 * 20), (100.0, 64 * 20)]
)
def test_a_batch_is_as_large_as_the_cost_of_a_run_asks_for(start_s: float, budget: int) -> None:
    clock = Clock()

    def run(rows: Sequence[Row]) -> None:
        clock.now += start_s + 0.02 * len(rows)

    cost = measure_cost(run, row(20), clock)
    assert cost.budget == budget
    assert cost.step_rows == pytest.approx(min(start_s / 0.02, 1000), rel=1e-3, abs=1e-9)


def test_a_row_that_is_cheaper_alone_makes_steps_free() -> None:
    clock = Clock()

    def run(rows: Sequence[Row]) -> None:
        clock.now += 0.01 * len(rows) ** 1.1

    assert measure_cost(run, row(20), clock).step_rows == 0


def test_long_runs_are_done_once() -> None:
    clock, runs = Clock(), []

    def run(rows: Sequence[Row]) -> None:
        runs.append(len(rows))
        clock.now += 0.002 * len(rows)

    measure_cost(run, row(20), clock)
    assert runs == [1, 16, 32, 64]
