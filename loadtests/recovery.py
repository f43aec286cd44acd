"""How soon a killed worker is replaced: `python -m loadtests.recovery`.

Each worker listens on a socket of its own, and the kernel spreads new connections over them: of
connections opened right after `kill -9`, those that fell to the dead worker wait for its successor.
When all have their answers, all workers serve again.
"""

import argparse
import random
import socket
import statistics
import tempfile
import time
from pathlib import Path

import msgspec
import psutil

from loadtests.contenders import BUNDLES, serving_sluice
from loadtests.machine import Machine, describe
from loadtests.processes import Server
from loadtests.texts import ROOT

RESULT = ROOT / "loadtests" / "results" / "recovery.json"
_CALLERS = 32
"""That none of so many falls to one worker of two happens once in four thousand million times."""
_TIMEOUT_S = 60
_BODY = b'{"inputs": "Marie Curie was born in Warsaw."}'
_REQUEST = (
    b"POST /ner HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


class Recovery(msgspec.Struct, frozen=True):
    """Seconds from each kill to an answer of every worker, and CPU seconds of the successor.

    On a machine with nothing else to do the two are much the same.
    """

    machine: Machine
    command: str
    seconds: list[float]
    cpu_s: list[float]


def recover(server: Server, drawn: random.Random) -> tuple[float, float]:
    """Kill a worker; the seconds until all serve again, and those of its successor's CPU."""
    drawn.choice(server.process.children()).kill()
    began = time.monotonic()
    port = int(server.url.rpartition(":")[2])
    callers = [
        socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S) for _ in range(_CALLERS)
    ]
    for caller in callers:
        caller.sendall(_REQUEST)
    for caller in callers:
        with caller:
            if not caller.recv(65_536).startswith(b"HTTP/1.1 200"):
                raise RuntimeError("a caller was not answered")
    waited = time.monotonic() - began
    spent = max(server.process.children(), key=psutil.Process.create_time).cpu_times()
    return waited, spent.user + spent.system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--bundles", type=Path, default=BUNDLES)
    given = parser.parse_args()
    drawn = random.Random(1)
    with (
        tempfile.TemporaryDirectory() as name,
        serving_sluice(Path(name), bundles=given.bundles) as server,
    ):
        seconds, cpu_s = zip(*(recover(server, drawn) for _ in range(given.kills)), strict=True)
    command = f"python -m loadtests.recovery --kills {given.kills}"
    found = Recovery(describe(), command, list(seconds), list(cpu_s))
    RESULT.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    print(
        f"median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s; "
        f"of them the successor's CPU {statistics.median(cpu_s):.2f} s"
    )


if __name__ == "__main__":
    main()
