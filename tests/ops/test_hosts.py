"""More than one machine: bulk work and Locust over hosts with networks of their own."""

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from service.settings import ROOT
from tests.e2e.processes import running_service
from tests.ops.hosts import OUTSIDE, Host, hosts
from tests.ops.record import record

pytestmark = [pytest.mark.ops, pytest.mark.timeout(900)]

_ROWS = 4_000
_TEXT = "Rudolph Smith bought 1000 shares of Tesla Inc. in March 2020, said Anna Lee of Siemens."
_RAY = ("--disable-usage-stats", "--num-cpus", "1", "--object-store-memory", "100000000")


def eventually(asked: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not asked():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def bulk(host: Host, source: Path, output: Path, *more: str) -> float:
    """Rows a second of a job that is started on a host."""
    command = (sys.executable, "-m", "service.bulk", str(source), str(output), "--task", "ner")
    done = host.run(*command, "--chunk-rows", "250", *more, timeout=600)
    assert done.returncode == 0, done.stderr
    found = re.search(r"\((\d+) rows/s\)", done.stdout)
    assert found, done.stdout
    return float(found[1])


def assert_closed(host: Host, source: Path, output: Path, address: str) -> None:
    """A job without the cluster's token is told so, and writes nothing."""
    job = (str(source), str(output), "--task", "ner", "--address", address)
    done = host.run(sys.executable, "-m", "service.bulk", *job, RAY_AUTH_TOKEN="another")
    assert done.returncode == 2
    assert "sluice bulk: Failed to connect to Ray cluster" in done.stderr
    assert not answers(output)


def answers(output: Path) -> list[str]:
    parts = sorted(output.glob("part-*"))
    return [line for part in parts for line in part.read_text().splitlines()]


def alive(host: Host, ray: str, address: str) -> int:
    """Machines that the cluster knows and hears from."""
    script = f"import ray; ray.init('{address}', log_to_driver=False, logging_level='ERROR')"
    told = host.run(
        str(Path(ray).with_name("python")),
        "-c",
        f"{script}; print(sum(node['Alive'] for node in ray.nodes()))",
    ).stdout
    return int(told.split()[-1]) if told.split() else 0


def test_bulk_work_is_shared_by_two_hosts(bundles_dir: Path, tmp_path: Path) -> None:
    ray = str(Path(sys.executable).with_name("ray"))
    if not Path(ray).exists():
        pytest.skip("Ray is not installed (extra `bulk`)")
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(json.dumps({"id": n, "text": _TEXT}) for n in range(_ROWS)))
    # Short, for a socket of Ray is a file in it and has 107 bytes (unix(7)).
    with hosts(2) as (head, other), tempfile.TemporaryDirectory(prefix="ray") as folder:
        address = f"{head.address}:6379"
        first = ("--head", f"--node-ip-address={head.address}", "--port", "6379")
        second = ("--address", address, f"--node-ip-address={other.address}")
        start = (ray, "start", "--block", *_RAY, "--temp-dir", folder)
        with head.running(*start, *first, "--include-dashboard", "false"):
            eventually(lambda: alive(head, ray, address) == 1)
            assert_closed(head, source, tmp_path / "none", address)
            one = bulk(head, source, tmp_path / "one", "--address", address)
            with other.running(ray, "start", "--block", *_RAY, *second):
                eventually(lambda: alive(head, ray, address) == 2)
                two = bulk(head, source, tmp_path / "two", "--address", address)
    record("bulk on two hosts", rows=_ROWS, rows_s_one=one, rows_s_two=two, scaling=two / one)
    assert len(answers(tmp_path / "two")) == _ROWS
    assert answers(tmp_path / "two") == answers(tmp_path / "one")


def test_locust_is_distributed_over_two_hosts(bundles_dir: Path, tmp_path: Path) -> None:
    locust = ROOT / ".venv/locust/bin/locust"
    if not locust.exists():
        pytest.skip("Locust is not installed; loadtests/load.sh installs it")
    command = (str(locust), "-f", "loadtests/locustfile.py", "--headless")
    with hosts(2) as (master, worker), running_service(bundles_dir, HOST="0.0.0.0") as server:
        url = server.url.replace("127.0.0.1", OUTSIDE)
        told = ("--host", url, "--csv", str(tmp_path / "load"), "--expect-workers", "2")
        with (
            worker.running(*command, "--worker", "--master-host", master.address),
            master.running(*command, "--worker", "--master-host", master.address),
        ):
            done = master.run(*command, "--master", *told, timeout=400)
    assert done.returncode == 0, done.stderr[-2_000:]
    *_, total = (tmp_path / "load_stats.csv").read_text().splitlines()
    requests, failures = map(int, total.split(",")[2:4])
    record("Locust on two hosts", requests=requests, failures=failures)
    assert requests > 100
    assert failures == 0
