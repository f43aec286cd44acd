"""Starts the workers, and starts them again when they die.

BentoML's own supervisor (circus) looks every ten seconds, needs as long again to import and load,
and gives a killed worker up inside a container. This one imports everything once and forks: a
worker that was killed is replaced at once and serves as soon as its bundles are loaded. Each worker
is BentoML's own HTTP worker, with its life cycle and its server.

Every worker has a listening socket of its own on the same port (SO_REUSEPORT), so that the kernel
spreads the connections; the supervisor keeps all of them open, so that what arrives while a worker
is replaced waits for it.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType

_FORK = multiprocessing.get_context("fork")
_SHORT_LIFE_S = 10.0
_SHORT_LIVES = 5
_BACKLOG = 4096

log = logging.getLogger("sluice")


class Supervisor:
    """Keeps `workers` processes of `work(index, socket)` alive until a signal ends them."""

    def __init__(
        self, work: Callable[[int, socket.socket], None], host: str, port: int, workers: int
    ) -> None:
        self._work = work
        self._sockets = [listen(host, port) for _ in range(workers)]
        self._processes: dict[int, BaseProcess] = {}
        self._born: dict[int, float] = {}
        self._short_lives = 0
        self._stopping = False

    def run(self) -> int:
        """Exit status: 0 after a signal, 1 if the workers do not stay alive."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        for index in range(len(self._sockets)):
            self._start(index)
        while self._processes:
            wait([process.sentinel for process in self._processes.values()])
            for index, process in list(self._processes.items()):
                if not process.is_alive():
                    self._bury(index, process)
        return int(self._short_lives >= _SHORT_LIVES)

    def _start(self, index: int) -> None:
        process = _FORK.Process(target=self._child, args=(index,), name=f"worker-{index}")
        process.start()
        self._processes[index], self._born[index] = process, time.monotonic()

    def _child(self, index: int) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        for other, listener in enumerate(self._sockets):
            if other != index:
                listener.close()
        self._work(index, self._sockets[index])

    def _bury(self, index: int, process: BaseProcess) -> None:
        process.join()
        del self._processes[index]
        if self._stopping:
            return
        lived = time.monotonic() - self._born[index]
        self._short_lives = self._short_lives + 1 if lived < _SHORT_LIFE_S else 0
        log.error("worker %d ended with status %s after %.1f s", index, process.exitcode, lived)
        if self._short_lives < _SHORT_LIVES:
            self._start(index)
        else:
            log.error("%d workers in a row died young; stopping", _SHORT_LIVES)
            self._stop(signal.SIGTERM, None)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Tell the workers to finish; nobody new is let in."""
        self._stopping = True
        for listener in self._sockets:
            listener.close()
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                if process.pid is not None:
                    os.kill(process.pid, signal.SIGTERM)


def in_a_child(check: Callable[[], None]) -> Callable[[], int]:
    """Begin `check` in a process of its own, which takes what it opened with it.

    What comes back waits for its end and gives its exit status.
    """
    process = _FORK.Process(target=check)
    process.start()

    def status() -> int:
        process.join()
        return process.exitcode or 0

    return status


def listen(host: str, port: int) -> socket.socket:
    """A listening socket that shares its port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    listener.listen(_BACKLOG)
    listener.set_inheritable(True)
    return listener
