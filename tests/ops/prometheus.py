"""A real Prometheus with the shipped rules, and questions to it."""

import contextlib
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.settings import ROOT
from tests.e2e.processes import free_port

_SECONDS = {"s": 1, "m": 60, "h": 3_600}


class Prometheus:
    """A running Prometheus that scrapes every second."""

    def __init__(self, url: str, targets: Path) -> None:
        self.url = url
        self._targets = targets

    def scrape(self, *addresses: str) -> None:
        """Scrape these from now on, and no others."""
        listed = ", ".join(f'"{address}"' for address in addresses)
        self._targets.write_text(f'[{{"targets": [{listed}]}}]' if addresses else "[]")

    def query(self, expression: str) -> list[dict[str, Any]]:
        answer = httpx.get(self.url + "/api/v1/query", params={"query": expression}, timeout=30)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    def firing(self) -> set[str]:
        """Names of the alerts that fire now."""
        alerts = httpx.get(self.url + "/api/v1/alerts", timeout=30).json()["data"]["alerts"]
        return {told["labels"]["alertname"] for told in alerts if told["state"] == "firing"}

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.5)
        return False


@contextlib.contextmanager
def running_prometheus(folder: Path, rules: str) -> Iterator[Prometheus]:
    """Prometheus with `rules`; it scrapes nothing until it is told what."""
    binary = shutil.which("prometheus")
    if binary is None:
        pytest.skip("prometheus is not installed; tests/ops/run.sh installs it")
    port, targets = free_port(), folder / "targets.json"
    targets.write_text("[]")
    (folder / "rules.yml").write_text(rules)
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
        "rule_files: [rules.yml]\n"
        "scrape_configs:\n"
        "  - job_name: sluice\n"
        "    file_sd_configs: [{files: [targets.json], refresh_interval: 1s}]\n"
    )
    process = subprocess.Popen(
        [
            binary,
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stderr=subprocess.DEVNULL,
    )
    prometheus = Prometheus(f"http://127.0.0.1:{port}", targets)
    try:
        assert prometheus.wait(lambda: _answers(prometheus.url), 60), "Prometheus did not start"
        yield prometheus
    finally:
        process.terminate()
        process.wait(30)


def shipped_rules(times_faster: int = 1) -> str:
    """The shipped rules, every duration in them divided: an hour's window fills in minutes."""
    told = (ROOT / "deploy/prometheus/rules.yml").read_text()

    def shorter(match: re.Match[str]) -> str:
        seconds = int(match[2]) * _SECONDS[match[3]] / times_faster
        return f"{match[1]}{max(2, round(seconds))}s{match[4]}"

    return re.sub(r"(\[|for: )(\d+)([smh])(\]|\n)", shorter, told)


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url + "/-/ready", timeout=5).status_code == 200
    return False
