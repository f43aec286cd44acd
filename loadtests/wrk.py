"""Closed-loop load by wrk: each connection sends its next request when it has its answer."""

import shutil
import subprocess
from pathlib import Path

import msgspec

from loadtests.processes import Server

_SCRIPT = Path(__file__).with_name("wrk.lua")


class Load(msgspec.Struct, frozen=True):
    """What wrk saw, and what the server spent on it. `refused` answers were not 2xx."""

    requests: int
    seconds: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    refused: int
    failed: int
    connections: int = 0
    cpu_ms: float = 0.0
    """CPU time of the server and its children for one request."""

    @property
    def per_second(self) -> float:
        """Good answers a second."""
        return (self.requests - self.refused) / self.seconds


def closed_loop(server: Server, bodies: Path, connections: int, seconds: float) -> Load:
    """Load of `connections` for whole seconds (at least one). RuntimeError if wrk fails."""
    before_s = server.cpu_s()
    line = _run(server.address, bodies, connections, max(1, round(seconds)))
    spent_s = server.cpu_s() - before_s
    found = msgspec.json.decode(line, type=Load)
    cpu_ms = 1000 * spent_s / max(1, found.requests)
    return msgspec.structs.replace(found, connections=connections, cpu_ms=cpu_ms)


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
