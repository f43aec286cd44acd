"""Prometheus metrics counted in memory and written in bulk.

With several workers each observation goes to a file that they share: 5 to 15 us, and a request
makes ten. Here one costs an append or an addition; `write_tallies` writes what has come together,
before the metrics are read here, and a few times a second for the other workers to read.
"""

import itertools
from bisect import bisect_left
from collections import Counter as Count
from collections import deque

from prometheus_client import Counter, Gauge, Histogram

_ALL: "list[CounterTally | GaugeTally | HistogramTally]" = []


class CounterTally:
    """A counter; added to by one thread at a time, or by several through a queue."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._added: deque[float] = deque()
        self.inc = self._added.append
        _ALL.append(self)

    def write(self) -> None:
        if self._added:
            self._counter.inc(sum(_taken(self._added)))


class GaugeTally:
    """A gauge, of which only the latest value counts."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self.value = 0.0
        self._written = 0.0
        _ALL.append(self)

    def set(self, value: float) -> None:
        self.value = value

    def write(self) -> None:
        if self.value != self._written:
            self._written = self.value
            self._gauge.set(self._written)


class HistogramTally:
    """A histogram; `observe` may be called from any thread."""

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._seen: deque[float] = deque()
        self.observe = self._seen.append
        _ALL.append(self)

    def write(self) -> None:
        """Each bucket once; prometheus_client itself has no call for many observations."""
        if not self._seen:
            return
        values = _taken(self._seen)
        child = self._histogram
        bounds = child._upper_bounds
        for bucket, number in Count(bisect_left(bounds, value) for value in values).items():
            child._buckets[bucket].inc(number)
        child._sum.inc(sum(values))


def write_tallies() -> None:
    """Write what has been counted since the last time."""
    for tally in _ALL:
        tally.write()


def _taken(values: deque[float]) -> list[float]:
    """What is there now, taken out one by one: another thread may add meanwhile."""
    return [values.popleft() for _ in itertools.repeat(None, len(values))]
