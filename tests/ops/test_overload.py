"""More load than capacity: what can be answered is, the rest hears so at once, and it passes."""

import contextlib
import http.client
import math
import os
import statistics
import time
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from loadtests import wrk
from loadtests.openloop import open_loop
from loadtests.overload import apart, saturate
from loadtests.processes import Server
from loadtests.texts import mixed_texts
from tests.ops.record import record

pytestmark = [
    pytest.mark.ops,
    pytest.mark.skipif(
        len(os.sched_getaffinity(0)) < 2, reason="generator and service need a core each"
    ),
    pytest.mark.skipif(not wrk.is_installed(), reason="wrk is not installed"),
]

_SECONDS = 12.0
_ALONE = 50
_IN_A_ROW = 5
_PATIENCE_S = 30.0
_BODY = b'{"inputs": "Marie Curie was born in Warsaw on 7 November 1867."}'


@pytest.mark.parametrize("lean", ["true", "false"], ids=["lean", "mounted"])
@pytest.mark.parametrize("times", [2, 5])
def test_goodput_holds_refusals_are_prompt_and_it_recovers(
    tmp_path: Path, times: int, lean: str
) -> None:
    recovery_s = list[float]()
    with apart(mixed_texts()[0], tmp_path, {"SLUICE_LEAN_PATH": lean}) as (server, bodies):
        peak = saturate(server, bodies, _SECONDS).goodput
        # The slowest twentieth left out: it is the machine's other work.
        usual_s = statistics.quantiles((alone_s(server) for _ in range(_ALONE)), n=20)[-1]
        flood = open_loop(
            server,
            bodies,
            times * peak,
            _SECONDS,
            when_sent=lambda: recovery_s.append(seconds_to_recover(server, usual_s)),
        )
    record(
        f"overload x{times}",
        lean_path=lean,
        peak=peak,
        kept=flood.goodput / peak,
        usual_s=usual_s,
        recovery_s=recovery_s[0],
        **msgspec.structs.asdict(flood),
    )
    assert flood.lost == 0
    assert flood.goodput >= 0.95 * peak
    assert flood.refused > 0
    assert flood.refusal_p50_ms <= 20
    assert recovery_s[0] <= 2


def alone_s(server: Server) -> float:
    """What one request takes that comes by itself; for ever, if it is refused."""
    url = urlsplit(server.address)
    began = time.monotonic()
    connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=_PATIENCE_S)
    with contextlib.closing(connection):
        connection.request("POST", url.path, _BODY, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
    return time.monotonic() - began if answer.status == 200 else math.inf


def seconds_to_recover(server: Server, usual_s: float) -> float:
    """Until some requests in a row are answered in the usual time; for ever, if that never ends."""
    began, in_a_row = time.monotonic(), 0
    while in_a_row < _IN_A_ROW:
        if time.monotonic() - began > _PATIENCE_S:
            return math.inf
        in_a_row = in_a_row + 1 if alone_s(server) <= usual_s else 0
        time.sleep(0.01)
    return time.monotonic() - began
