"""Two replicas behind the balancer: workers that are killed, and a rolling restart, under load."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import Server, running_service
from tests.ops.balancer import running_balancer
from tests.ops.callers import Answers, Callers
from tests.ops.record import record

pytestmark = pytest.mark.ops


@contextlib.contextmanager
def replicas(bundles: Path, folder: Path) -> Iterator[tuple[str, list[Server]]]:
    with running_service(bundles) as one, running_service(bundles) as two:
        ports = [int(server.url.rpartition(":")[2]) for server in (one, two)]
        with running_balancer(folder, ports) as url:
            yield url, [one, two]


def told(test: str, answers: Answers) -> float:
    share = answers.share(200)
    statuses, faults = answers.by_status(), answers.faults
    record(test, answered=share, requests=len(answers.answers), statuses=statuses, faults=faults)
    return share


def test_a_worker_killed_every_five_seconds_costs_hardly_a_request(
    bundles_dir: Path, tmp_path: Path
) -> None:
    with replicas(bundles_dir, tmp_path) as (url, servers):
        callers = Callers(url, 60, connections=8)
        killed = set()
        for turn in range(11):
            time.sleep(5)
            for worker in servers[turn % 2].workers():
                worker.kill()
                killed.add(worker.pid)
        assert told("kill -9 every 5 s", callers.result()) >= 0.999
        assert len(killed) == 11


def test_a_rolling_restart_loses_nothing(bundles_dir: Path, tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        url, servers = stack.enter_context(replicas(bundles_dir, tmp_path))
        callers = Callers(url, 40, connections=8)
        time.sleep(3)
        for server in servers:
            port = int(server.url.rpartition(":")[2])
            assert server.stop() == 0
            stack.enter_context(running_service(bundles_dir, port))
            time.sleep(4)
        assert told("rolling restart", callers.result()) == 1.0
