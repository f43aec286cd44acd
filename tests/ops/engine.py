"""The image of the service on a real engine, locked as docker-compose.yml locks it."""

import subprocess
import time
import uuid

import httpx
import pytest

from tests.e2e.processes import free_port

IMAGE = "sluice:latest"
_LOCKED = (
    *("--read-only", "--tmpfs", "/tmp:size=64m,mode=1777"),
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--memory", "600m", "--cpus", "1.5"),
)


def docker(*command: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *command], capture_output=True, text=True, timeout=300)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip()


def require_image() -> None:
    """Skip the test where there is no engine, or no image in it."""
    try:
        docker("image", "inspect", IMAGE)
    except (AssertionError, FileNotFoundError):
        pytest.skip(f"no engine, or no image {IMAGE} in it; tests/ops/run.sh makes both")


class Container:
    """A running, locked container of the service."""

    def __init__(self) -> None:
        self.name, port = f"sluice-{uuid.uuid4().hex[:8]}", free_port()
        self.url = f"http://127.0.0.1:{port}"
        began = time.monotonic()
        docker("run", "-d", "--name", self.name, *_LOCKED, "-p", f"127.0.0.1:{port}:3000", IMAGE)
        while not self._ready():
            assert time.monotonic() - began < 180, docker("logs", self.name)
            time.sleep(0.05)
        self.ready_s = time.monotonic() - began

    def run(self, *command: str) -> str:
        return docker("exec", self.name, *command, check=False)

    def tell(self, what: str) -> str:
        """What the engine knows, such as `{{.State.OOMKilled}}`."""
        return docker("inspect", "-f", what, self.name)

    def log(self) -> str:
        return docker("logs", self.name)

    def remove(self) -> None:
        docker("rm", "-f", self.name)

    def _ready(self) -> bool:
        try:
            return httpx.get(self.url + "/readyz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False
