"""The load generators against a running service, for a moment each."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests import wrk
from loadtests.contenders import serving_sluice
from loadtests.openloop import open_loop
from loadtests.processes import Server
from loadtests.soak import soak, write_mixed_bodies
from loadtests.texts import one_input, write_bodies

TEXTS = ["Anna Lee visited Oslo in May 2020.", "Nobody came.", "It rained on Monday, in Rome too."]
ONE_WORKER = {"SLUICE_WORKERS": "1"}

needs_wrk = pytest.mark.skipif(not wrk.is_installed(), reason="wrk is not installed")


@pytest.fixture(scope="module")
def loaded(tiny_bundles: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    logs = tmp_path_factory.mktemp("logs")
    with serving_sluice(logs, bundles=tiny_bundles, settings=ONE_WORKER) as server:
        yield server


@needs_wrk
def test_a_closed_loop_counts_answers_and_weighs_the_server(loaded: Server, tmp_path: Path) -> None:
    bodies = write_bodies(tmp_path / "bodies.txt", TEXTS, one_input)
    load = wrk.closed_loop(loaded, bodies, 4, 1)
    assert load.requests > 0
    assert (load.connections, load.refused, load.failed) == (4, 0, 0)
    assert load.cpu_ms > 0
    assert load.p50_ms <= load.p99_ms <= load.max_ms


@needs_wrk
def test_a_closed_loop_tells_refusals_from_answers(loaded: Server, tmp_path: Path) -> None:
    bodies = tmp_path / "bodies.txt"
    bodies.write_text('/ner\t{"inputs": 7}\n')
    load = wrk.closed_loop(loaded, bodies, 1, 1)
    assert load.refused == load.requests > 0
    assert load.per_second == 0


def test_an_open_loop_sends_what_it_offers_and_gets_all_answers(
    loaded: Server, tmp_path: Path
) -> None:
    bodies = write_bodies(tmp_path / "bodies.txt", TEXTS, one_input)
    ended: list[float] = []
    began = time.monotonic()
    load = open_loop(
        loaded, bodies, rate=40, seconds=1.5, when_sent=lambda: ended.append(time.monotonic())
    )
    assert len(ended) == 1
    assert ended[0] - began > 1
    assert 30 < load.sent < 90
    assert (load.refused, load.lost) == (0, 0)
    assert load.p99_ms >= load.p50_ms > 0


def test_an_open_loop_that_fails_says_why(loaded: Server, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="FileNotFoundError"):
        open_loop(loaded, tmp_path / "absent.txt", rate=1, seconds=1)


@needs_wrk
def test_a_soak_weighs_the_server_until_all_is_sent(loaded: Server, tmp_path: Path) -> None:
    bodies = write_mixed_bodies(tmp_path / "bodies.txt", TEXTS * 10, count=200)
    samples, refused, failed = soak(loaded, bodies, warm=1, count=1)
    assert samples[-1].requests > samples[0].requests
    assert all(sample.memory > 1_000_000 for sample in samples)
    assert refused > 0
    assert failed == 0


def test_bodies_are_one_json_document_a_line(tmp_path: Path) -> None:
    path = write_bodies(tmp_path / "bodies.txt", ["two\nlines", "ein Häuschen"], one_input)
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert found == [{"inputs": "two\nlines"}, {"inputs": "ein Häuschen"}]
