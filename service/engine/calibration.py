"""What batches of a one-shot model cost on this machine."""

import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from service.engine.rows import Row

_ROWS = (16, 32, 64)
_ROUNDS = 3
_ENOUGH_S = 0.1
"""Rounds that took this long together need no more: what disturbs one is shorter."""
_NEAR_BEST = 1.05


class BatchCost(NamedTuple):
    """How large a batch should be, and what padding may cost.

    `budget` is the smallest batch, in tokens, whose token costs at most a twentieth more than the
    least: a larger one saves nothing and makes everyone wait longer. A recurrent step of B rows
    takes as long as `step_rows` + B rows do: some 2 on a CPU, hundreds on a GPU.
    """

    budget: int
    step_rows: float


def measure_cost(
    run: Callable[[Sequence[Row]], object],
    row: Row,
    clock: Callable[[], float] = time.perf_counter,
) -> BatchCost:
    """The cost of batches of rows like `row`, timed."""
    began = clock()
    alone, costs = math.inf, dict.fromkeys(_ROWS, math.inf)
    for _ in range(_ROUNDS):  # in turn, so that other work of the machine disturbs all alike
        alone = min(alone, _seconds(run, [row], clock))
        costs = {rows: min(costs[rows], _seconds(run, [row] * rows, clock)) for rows in _ROWS}
        if clock() - began >= _ENOUGH_S:
            break
    enough = min(rows for rows in _ROWS if costs[rows] <= _NEAR_BEST * min(costs.values()))
    return BatchCost(enough * row.length, _step_rows(alone, enough, costs[enough]))


def _step_rows(alone: float, rows: int, cost: float) -> float:
    """The fixed part of a step over the part of one row, from the seconds a row of two sizes."""
    fixed = max(0.0, alone - cost) * rows / (rows - 1)
    return fixed / max(alone - fixed, 1e-3 * alone)


def _seconds(
    run: Callable[[Sequence[Row]], object], rows: Sequence[Row], clock: Callable[[], float]
) -> float:
    """Seconds that a run takes for each row."""
    began = clock()
    run(rows)
    return (clock() - began) / len(rows)
