"""Server processes under load: started, awaited, weighed and stopped with all their children."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import httpx
import psutil

from loadtests.texts import ROOT

_START_S = 120
_STOP_S = 15

T = TypeVar("T")


class Server(NamedTuple):
    """A running server; `path` is where its texts go."""

    url: str
    path: str
    process: psutil.Popen

    @property
    def address(self) -> str:
        return self.url + self.path

    def cpu_s(self) -> float:
        """CPU seconds that it and all its descendants have spent."""
        return sum(times.user + times.system for times in self._each(psutil.Process.cpu_times))

    def memory(self) -> int:
        """Bytes that no other process shares (USS), with all descendants."""
        return sum(found.uss for found in self._each(psutil.Process.memory_full_info))

    def _each(self, ask: Callable[[psutil.Process], T]) -> Iterator[T]:
        for process in [self.process, *self.process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                yield ask(process)


class ServerFailed(Exception):
    """A server that did not come up; says how it ended and what it said last."""

    def __init__(self, command: Sequence[str], reason: str, log: Path) -> None:
        name = " ".join([Path(command[0]).name, *command[1:3]])
        super().__init__(f"{name} {reason}; its last line: {_last_line(log)}")


@contextlib.contextmanager
def running(
    command: Sequence[str],
    port: int,
    path: str,
    body: object,
    log: Path,
    settings: Mapping[str, str],
) -> Iterator[Server]:
    """The server of `command`, which answers `body` with 200; stopped at the end."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SLUICE_")}
    environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "BENTOML_DO_NOT_TRACK": "True"}
    with log.open("wb") as output:
        process = psutil.Popen(
            list(command),
            cwd=ROOT,
            env={**environment, **settings},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        server = Server(f"http://127.0.0.1:{port}", path, process)
        try:
            _await_answer(server, body, command, log)
            yield server
        finally:
            _stop(process)


@contextlib.contextmanager
def on_cores(cores: Iterable[int]) -> Iterator[None]:
    """What is started meanwhile runs on these cores alone, with all its descendants."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    """A port with free ones behind it: some servers take up to three."""
    while True:
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            first = _bind(held, 0)
            for port in (first + 1, first + 2):
                _bind(held, port)
            return first


def _bind(held: contextlib.ExitStack, port: int) -> int:
    listener = held.enter_context(socket.socket())
    listener.bind(("127.0.0.1", port))
    return int(listener.getsockname()[1])


def _await_answer(server: Server, body: object, command: Sequence[str], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise ServerFailed(command, f"ended with status {server.process.returncode}", log)
        with contextlib.suppress(httpx.TransportError):
            if httpx.post(server.address, json=body, timeout=10).status_code == 200:
                return
        time.sleep(0.1)
    raise ServerFailed(command, f"gave no answer within {_START_S} s", log)


def _stop(process: psutil.Popen) -> None:
    """The gentle way first; then whatever is left of its descendants, which may outlive it."""
    descendants = process.children(recursive=True) if process.is_running() else []
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
    psutil.wait_procs([process], timeout=_STOP_S)
    for left in [process, *descendants]:
        with contextlib.suppress(psutil.NoSuchProcess):
            left.kill()
    psutil.wait_procs([process, *descendants], timeout=_STOP_S)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "(none)")
