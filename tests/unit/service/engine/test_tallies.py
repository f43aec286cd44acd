"""Metrics counted in memory arrive complete and in their buckets."""

import threading

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from service.engine.tallies import CounterTally, GaugeTally, HistogramTally, write_tallies


def test_observations_in_bulk_count_like_single_ones() -> None:
    registry = CollectorRegistry()
    bulk = Histogram("bulk", "", buckets=(1, 2, 5), registry=registry)
    single = Histogram("single", "", buckets=(1, 2, 5), registry=registry)
    tally = HistogramTally(bulk)
    for value in (0.5, 1.0, 1.5, 2.0, 4.0, 5.0, 9.0):
        tally.observe(value)
        single.observe(value)
    write_tallies()
    lines = generate_latest(registry).decode().splitlines()
    told = {
        name: [
            line.split(" ", 1)[1]
            for line in lines
            if line.startswith(f"{name}_") and "created" not in line
        ]
        for name in ("bulk", "single")
    }
    assert told["bulk"] == told["single"]
    assert len(told["bulk"]) == 6


def test_a_gauge_tells_its_latest_value() -> None:
    gauge = Gauge("level", "", registry=CollectorRegistry())
    tally = GaugeTally(gauge)
    tally.set(3)
    tally.set(2)
    write_tallies()
    assert gauge._value.get() == 2


def test_no_count_is_lost_between_threads() -> None:
    counter = Counter("many", "", registry=CollectorRegistry())
    tally = CounterTally(counter)
    threads = [
        threading.Thread(target=lambda: [tally.inc(1) for _ in range(5_000)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        write_tallies()
    write_tallies()
    assert counter._value.get() == 20_000
