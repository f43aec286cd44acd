"""600 MB are enough: the locked container under Locust's mix, and no process of it is killed."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import ROOT
from tests.e2e.processes import environment
from tests.ops.engine import Container, require_image
from tests.ops.record import record

pytestmark = pytest.mark.ops

_MINUTES = os.environ.get("OPS_MINUTES", "10")
_PEAK = "cat /sys/fs/cgroup/memory/memory.max_usage_in_bytes || cat /sys/fs/cgroup/memory.peak"
_ANONYMOUS = "cat /sys/fs/cgroup/memory/memory.stat /sys/fs/cgroup/memory.stat 2> /dev/null"


@pytest.fixture
def container() -> Iterator[Container]:
    require_image()
    container = Container()
    yield container
    container.remove()


def mix(url: str, folder: Path) -> list[str]:
    """Locust's mix of `make load`, for some minutes; its table of requests, one line a name."""
    told = environment(URL=url, MINUTES=_MINUTES, CHECK="0", OUT=str(folder), PYTHON=sys.executable)
    done = subprocess.run(
        [ROOT / "loadtests/load.sh"], env=told, capture_output=True, text=True, timeout=3_000
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    [table] = folder.glob("*_stats.csv")
    return table.read_text().splitlines()


def anonymous_bytes(container: Container) -> int:
    """What is no file's: the kernel can take the rest back. (Names of cgroups 1 and 2.)"""
    told = container.run("sh", "-c", _ANONYMOUS)
    return int(re.findall(r"^(?:total_rss|anon) (\d+)$", told, re.MULTILINE)[0])


@pytest.mark.timeout(3_600)
def test_ten_minutes_of_the_mix_fit_into_600_megabytes(
    container: Container, tmp_path: Path
) -> None:
    *_, total = mix(container.url, tmp_path)
    requests, failures = map(int, total.split(",")[2:4])
    killed = container.tell("{{.State.OOMKilled}}") == "true"
    record(
        "600 MB under the mix",
        minutes=_MINUTES,
        requests=requests,
        failures=failures,
        killed=killed,
        peak_bytes=int(container.run("sh", "-c", _PEAK)),
        anonymous_bytes=anonymous_bytes(container),
    )
    assert not killed
    assert "ended with status" not in container.log()
    assert failures <= requests / 1_000
