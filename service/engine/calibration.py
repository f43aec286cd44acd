"""How large a batch of a one-shot model should be on this machine."""

import time
from collections.abc import Callable, Sequence

from service.engine.rows import Row

_ROWS = (16, 32, 64)
_REPEATS = 3
_ENOUGH_S = 0.05
"""Runs of a size that took this long together need no more: what disturbs one is shorter."""
_NEAR_BEST = 1.05


def token_budget(
    run: Callable[[Sequence[Row]], object],
    row: Row,
    clock: Callable[[], float] = time.perf_counter,
) -> int:
    """The smallest batch, in tokens, whose token costs at most a twentieth more than the least.

    A larger batch than needed saves nothing, mixes more lengths (padding is computed like real
    tokens) and makes everyone wait longer.
    """
    costs = {rows: _cost(run, [row] * rows, clock) for rows in _ROWS}
    enough = min(rows for rows in _ROWS if costs[rows] <= _NEAR_BEST * min(costs.values()))
    return enough * row.length


def _cost(
    run: Callable[[Sequence[Row]], object], rows: Sequence[Row], clock: Callable[[], float]
) -> float:
    """Seconds a row, best of some: the other runs met other work."""
    seconds: list[float] = []
    while len(seconds) < _REPEATS and sum(seconds) < _ENOUGH_S:
        began = clock()
        run(rows)
        seconds.append(clock() - began)
    return min(seconds) / len(rows)
