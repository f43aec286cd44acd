"""Closed-loop load by wrk: each connection sends its next request when it has its answer."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from loadtests.processes import Server

_SCRIPT = Path(__file__).with_name("wrk.lua")


class Load(NamedTuple):
    """What wrk saw, and what the server spent on it. `refused` answers were not 2xx."""

    connections: int
    requests: int
    seconds: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    refused: int
    failed: int
    cpu_ms: float
    """CPU time of the server and its children for one request."""

    @property
    def per_second(self) -> float:
        """Good answers a second."""
        return (self.requests - self.refused) / self.seconds


def closed_loop(server: Server, bodies: Path, connections: int, seconds: float) -> Load:
    """Load of `connections` for whole seconds (at least one). RuntimeError if wrk fails."""
    before = server.usage()
    found = json.loads(_run(server.address, bodies, connections, max(1, round(seconds))))
    spent_s = server.usage().cpu_s - before.cpu_s
    return Load(connections, **found, cpu_ms=1000 * spent_s / max(1, found["requests"]))


def is_installed() -> bool:
    return shutil.which("wrk") is not None


def _run(address: str, bodies: Path, connections: int, seconds: int) -> str:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
    command += ["-s", str(_SCRIPT), address, "--", str(bodies)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    lines = [line for line in ended.stdout.splitlines() if line.startswith("JSON ")]
    if not lines:
        raise RuntimeError(f"wrk failed: {ended.stderr.strip() or ended.stdout.strip()}")
    return lines[0].removeprefix("JSON ")
