"""Real server processes on free ports."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil

ROOT = Path(__file__).parents[2]
START_S = 180
"""Longest wait for readiness: a busy machine is no failure."""


class Server(NamedTuple):
    """A running service; `ready_s` is the time from its start to its readiness."""

    process: subprocess.Popen[str]
    url: str
    ready_s: float

    def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        return httpx.post(self.url + path, json=body, headers=headers, timeout=60)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=30)

    def workers(self) -> list[psutil.Process]:
        """The processes that serve, without what supervises them."""
        return psutil.Process(self.process.pid).children()

    def stop(self) -> int:
        """Exit status after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with these settings and no other SLUICE_* variable."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
    return {**kept, "BENTOML_DO_NOT_TRACK": "True", **settings}


def run_module(
    module: str, *arguments: str, told: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    """A module of ours as a command that reads `told`, to its end."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=environment(**settings),
        input=told,
        capture_output=True,
        text=True,
        timeout=60,
    )


def run_service(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """The service where it is expected to refuse its start."""
    return run_module("service", *arguments, **settings)


@contextlib.contextmanager
def running(command: list[str], port: int, cwd: Path, **settings: str) -> Iterator[Server]:
    """A server started by `command`, ready; stopped at the end if it still runs."""
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=cwd, env=environment(**settings), text=True)
    try:
        url = f"http://127.0.0.1:{port}"
        _await_ready(process, url)
        yield Server(process, url, time.monotonic() - began)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    """The gentle way first: a supervisor that is killed cannot stop its workers."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def running_service(bundles: Path, port: int | None = None, **settings: str) -> Iterator[Server]:
    """`python -m service` with the bundles in a folder."""
    port = port or free_port()
    command = [sys.executable, "-m", "service", "--port", str(port)]
    with running(command, port, ROOT, SLUICE_BUNDLES=str(bundles), **settings) as server:
        yield server


def _await_ready(process: subprocess.Popen[str], url: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the service ended with status {process.returncode}")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url + "/readyz", timeout=5).status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"not ready within {START_S} s")
