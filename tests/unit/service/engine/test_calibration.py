"""The calibration: the smallest batch that is as good as the best."""

from collections.abc import Sequence

import pytest

from service.engine.calibration import token_budget
from service.engine.rows import Row
from tests.unit.service.engine.fakes import Clock, row


@pytest.mark.parametrize(
    "start_s, budget", [(0.0, 16 * 20), (0.05, 32 * 20), (0.2, 64 * 20), (100.0, 64 * 20)]
)
def test_a_batch_is_as_large_as_the_cost_of_a_run_asks_for(start_s: float, budget: int) -> None:
    clock = Clock()

    def run(rows: Sequence[Row]) -> None:
        clock.now += start_s + 0.02 * len(rows)

    assert token_budget(run, row(20), clock) == budget


def test_long_runs_are_not_repeated() -> None:
    clock, runs = Clock(), []

    def run(rows: Sequence[Row]) -> None:
        runs.append(len(rows))
        clock.now += 0.001 * len(rows)

    token_budget(run, row(20), clock)
    assert [runs.count(rows) for rows in (16, 32, 64)] == [3, 2, 1]
