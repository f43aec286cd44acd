"""Open-loop load: requests leave at random times, whether or not the server keeps up.

Arrivals are a Poisson process. A latency counts from the moment a request was due, so that a
server that stalls is charged for all who would have come meanwhile ("coordinated omission").
The generator is a process of its own: `python -m loadtests.openloop URL BODIES RATE SECONDS`. It
prints a line when the last request has left, and the figures when the last answer has come.
"""

import asyncio
import gc
import random
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from subprocess import PIPE
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
import numpy as np
import uvloop

from loadtests.processes import Server
from loadtests.texts import ROOT

_GRACE_S = 15.0
"""How long the last answers are awaited."""
_CONNECTIONS = 8_000
_TICK_S = 0.001
"""Of the event loop's timers: shorter sleeps would spin and take the server's cores."""
_SEED = 11
_SENT = "sent"


class OpenLoad(msgspec.Struct, frozen=True):
    """What came back of `offered` requests a second; latencies in ms from the time they were due.

    `goodput` counts good answers that came within the time of the run, a second; `refused` are
    answers other than 200, `lost` requests that got none.
    """

    offered: float
    seconds: float
    sent: int
    goodput: float
    p50_ms: float
    p99_ms: float
    refused: int
    refusal_p50_ms: float
    refusal_p99_ms: float
    lost: int
    generator_cpu: float
    """Cores that the generator itself used: the server's to miss on a small machine."""
    cpu_ms: float = 0.0


class Answer(NamedTuple):
    """Seconds since the start of the run."""

    due: float
    came: float
    status: int


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection, one request at a time."""

    def __init__(self, generator: "Generator") -> None:
        self._generator = generator
        self._buffer = b""
        self._due: float | None = None
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def send(self, due: float, request: bytes) -> None:
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        size = response_size(self._buffer)
        if size is None or len(self._buffer) < size or self._due is None:
            return
        status = int(self._buffer[9:12])
        self._buffer, due, self._due = self._buffer[size:], self._due, None
        self._generator.answered(self, due, status)

    def connection_lost(self, error: Exception | None) -> None:
        self._generator.gone(self, self._due)

    def close(self) -> None:
        self._transport.abort()


class Generator:
    """Sends on time over as many connections as it takes."""

    def __init__(self, url: str, bodies: Sequence[str]) -> None:
        address = urlsplit(url)
        self._host, self._port = str(address.hostname), int(address.port or 80)
        self._requests = [_request(address.path, f"{self._host}:{self._port}", b) for b in bodies]
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._start = 0.0
        self.answers: list[Answer] = []
        self.lost = 0

    async def run(self, rate: float, seconds: float, warm: int) -> int:
        """Send for `seconds`, await the last answers; how many were sent."""
        await asyncio.gather(*(self._connect() for _ in range(warm)))
        due = arrivals(rate, seconds)
        self._start = time.perf_counter()
        drawn = random.Random(_SEED)
        for moment in due:
            ahead = moment - self._now()
            if ahead > 0:
                await asyncio.sleep(max(ahead, _TICK_S))
            self._send(moment, drawn.choice(self._requests))
        print(_SENT, flush=True)
        await self._finish(len(due))
        return len(due)

    def answered(self, connection: Connection, due: float, status: int) -> None:
        self.answers.append(Answer(due, self._now(), status))
        if self._waiting:
            connection.send(*self._waiting.popleft())
        else:
            self._idle.append(connection)

    def gone(self, connection: Connection, due: float | None) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if due is not None:
            self.lost += 1

    def _now(self) -> float:
        return time.perf_counter() - self._start

    def _send(self, due: float, request: bytes) -> None:
        if self._idle:
            self._idle.pop().send(due, request)
            return
        self._waiting.append((due, request))
        if len(self._open) + len(self._connecting) < _CONNECTIONS:
            task = asyncio.ensure_future(self._connect())
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: Connection(self), self._host, self._port
            )
        except OSError:
            return
        self._open.add(connection)
        if self._waiting:
            connection.send(*self._waiting.popleft())
        else:
            self._idle.append(connection)

    async def _finish(self, sent: int) -> None:
        latest = self._now() + _GRACE_S
        while len(self.answers) + self.lost < sent and self._now() < latest:
            await asyncio.sleep(0.05)
        self.lost = sent - len(self.answers)
        for connection in list(self._open):
            connection.close()


def arrivals(rate: float, seconds: float) -> list[float]:
    """Times of a Poisson process of `rate` a second within `seconds`."""
    drawn, moment, times = random.Random(_SEED), 0.0, list[float]()
    while (moment := moment + drawn.expovariate(rate)) < seconds:
        times.append(moment)
    return times


def response_size(data: bytes) -> int | None:
    """Bytes of the HTTP response that `data` begins with; None while that cannot be told."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = data[:end].lower()
    at = head.find(b"content-length:")
    if at >= 0:
        return end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])
    last_chunk = data.find(b"0\r\n\r\n", end)
    return last_chunk + 5 if last_chunk >= 0 else None


def summarise(
    answers: Iterable[Answer], rate: float, seconds: float, sent: int, cpu_s: float
) -> OpenLoad:
    """The figures of a run."""
    found = list(answers)
    good = [answer for answer in found if answer.status == 200]
    refused = [answer for answer in found if answer.status != 200]
    return OpenLoad(
        offered=rate,
        seconds=seconds,
        sent=sent,
        goodput=sum(answer.came <= seconds for answer in good) / seconds,
        p50_ms=_latency_ms(good, 50),
        p99_ms=_latency_ms(good, 99),
        refused=len(refused),
        refusal_p50_ms=_latency_ms(refused, 50),
        refusal_p99_ms=_latency_ms(refused, 99),
        lost=sent - len(found),
        generator_cpu=cpu_s / seconds,
    )


def open_loop(
    server: Server,
    bodies: Path,
    rate: float,
    seconds: float,
    when_sent: Callable[[], object] = lambda: None,
) -> OpenLoad:
    """Load a server from a process of its own. RuntimeError if that fails.

    `when_sent` is called at the moment the load ends, while its last answers may still be on their
    way.
    """
    command = [sys.executable, "-m", "loadtests.openloop"]
    command += [server.address, str(bodies), str(rate), str(seconds)]
    before_s = server.cpu_s()
    told = _run(command, seconds + _GRACE_S + 60, when_sent)
    spent_s = server.cpu_s() - before_s
    found = msgspec.json.decode(told, type=OpenLoad)
    return msgspec.structs.replace(found, cpu_ms=1000 * spent_s / max(1, found.sent))


def _run(command: Sequence[str], timeout_s: float, when_sent: Callable[[], object]) -> str:
    """What the generator prints at its end."""
    with subprocess.Popen(command, cwd=ROOT, stdout=PIPE, stderr=PIPE, text=True) as generator:
        try:
            # One that fails ends its output, so that there is a line in any case.
            if generator.stdout and generator.stdout.readline().strip() == _SENT:
                when_sent()
            told, errors = generator.communicate(timeout=timeout_s)
        finally:
            generator.kill()
    if generator.returncode:
        raise RuntimeError(f"the open loop failed: {errors}")
    return told


def _latency_ms(answers: Sequence[Answer], percent: float) -> float:
    waits = [answer.came - answer.due for answer in answers]
    return 1000 * float(np.percentile(waits, percent)) if waits else 0.0


def _request(path: str, host: str, body: str) -> bytes:
    content = body.encode()
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def main() -> None:
    url, bodies = sys.argv[1], Path(sys.argv[2])
    rate, seconds = float(sys.argv[3]), float(sys.argv[4])
    generator = Generator(url, bodies.read_text().splitlines())
    gc.freeze()
    gc.disable()
    began = time.process_time()
    sent = uvloop.run(generator.run(rate, seconds, warm=64))
    cpu_s = time.process_time() - began
    found = summarise(generator.answers, rate, seconds, sent, cpu_s)
    print(msgspec.json.encode(found).decode())


if __name__ == "__main__":
    main()
