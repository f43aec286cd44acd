"""A live Prometheus: every panel has data under load; every alert fires in a fault and clears."""

import contextlib
import http.server
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import Server, running_service
from tests.ops.prometheus import Prometheus, running_prometheus, shipped_rules
from tests.ops.record import record
from tests.ops.test_files import ALERTS, QUERIES

pytestmark = pytest.mark.ops

_FASTER = 20
_EMPTY_HERE = ("GPU", "GPU memory", "Requests by API key")
LONG = "It broke after two days, and nobody at the shop wanted to hear about it. " * 25
DE = {"tgt_lang": "de", "src_lang": "en"}


Fault = contextlib.AbstractContextManager[None]
"""Lasts as long as its block."""


def address(server: Server) -> str:
    return server.url.removeprefix("http://")


@contextlib.contextmanager
def calling(server: Server, *calls: tuple[str, object, dict[str, str]]) -> Iterator[None]:
    """These calls again and again, each by a caller of its own."""
    until = threading.Event()

    def call_again(path: str, body: object, headers: dict[str, str]) -> None:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            while not until.wait(0.02):
                with contextlib.suppress(httpx.TransportError):
                    client.post(path, json=body, headers=headers)

    threads = [threading.Thread(target=call_again, args=call) for call in calls]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        until.set()
        for thread in threads:
            thread.join()


ALL_TASKS: list[tuple[str, object, dict[str, str]]] = [
    ("/ner", {"inputs": ["Pankaj lives in Munich", "a"]}, {}),
    ("/sentiment", {"inputs": "nothing to like"}, {}),
    ("/translate", {"inputs": "How are you?", "parameters": DE}, {}),
    ("/ner", {"inputs": 5}, {}),
    ("/translate", {"inputs": LONG, "parameters": DE}, {"X-Request-Timeout": "0.05"}),
]


def test_every_panel_has_data_under_load(bundles_dir: Path, tmp_path: Path) -> None:
    with (
        running_service(bundles_dir) as server,
        running_prometheus(tmp_path, shipped_rules()) as prometheus,
        calling(server, *ALL_TASKS),
    ):
        prometheus.scrape(address(server))
        time.sleep(20)
        empty = [
            title
            for title, query in QUERIES
            if not [
                found
                for found in prometheus.query(re.sub(r"\$\w+", ".*", query))
                if found["value"][1] != "NaN"
            ]
        ]
    record("panels", queries=len(QUERIES), empty=empty)
    assert set(empty) == set(_EMPTY_HERE)


def fires_and_clears(
    prometheus: Prometheus,
    names: set[str],
    fault: Callable[[], Fault],
) -> None:
    """All of `names` fire while the fault lasts, and none some time after it."""
    began = time.monotonic()
    with fault():
        assert prometheus.wait(lambda: names <= prometheus.firing(), 120), prometheus.firing()
        fired_s = time.monotonic() - began
    began = time.monotonic()
    assert prometheus.wait(lambda: not names & prometheus.firing(), 240), prometheus.firing()
    record("alert", names=sorted(names), fired_s=fired_s, cleared_s=time.monotonic() - began)


def late(_: Prometheus, server: Server) -> Fault:
    """Deadlines that no answer can keep."""
    call = ("/ner", {"inputs": "a"}, {"X-Request-Timeout": "0.001"})
    return calling(server, call, call)


def flooded(_: Prometheus, server: Server) -> Fault:
    return calling(
        server,
        *[("/ner", {"inputs": [LONG] * 32}, {})] * 8,
        *[("/sentiment", {"inputs": LONG}, {})] * 8,
    )


def translating(_: Prometheus, server: Server) -> Fault:
    """As many as the queue takes: refusals would be most of the answers, and quick ones."""
    return calling(server, *[("/translate", {"inputs": LONG, "parameters": DE}, {})] * 5)


@contextlib.contextmanager
def frozen(_: Prometheus, server: Server) -> Iterator[None]:
    [worker] = server.workers()
    worker.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        worker.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def unknown(prometheus: Prometheus, server: Server) -> Iterator[None]:
    prometheus.scrape()
    yield
    prometheus.scrape(address(server))


@contextlib.contextmanager
def dying(prometheus: Prometheus, server: Server) -> Iterator[None]:
    """The worker is killed as soon as it has been seen; a fifth time would end the service."""
    seen: set[float] = set()
    for _ in range(3):
        assert prometheus.wait(lambda: started(prometheus) not in seen | {0.0}, 60)
        seen.add(started(prometheus))
        server.workers()[0].kill()
    yield


def started(prometheus: Prometheus) -> float:
    """When the worker started that Prometheus saw last; 0 for none."""
    found = prometheus.query("sluice_worker_start_time_seconds")
    return float(found[0]["value"][1]) if found else 0.0


@contextlib.contextmanager
def growing(prometheus: Prometheus, server: Server) -> Iterator[None]:
    """An exporter beside the service whose memory grows by a megabyte a second."""
    began = time.monotonic()

    class Exporter(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            grown = 800e6 + 1e6 * (time.monotonic() - began)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"sluice_resident_memory_bytes {grown}\n".encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exporter) as exporter:
        thread = threading.Thread(target=exporter.serve_forever)
        thread.start()
        prometheus.scrape(address(server), f"127.0.0.1:{exporter.server_port}")
        yield
        prometheus.scrape(address(server))
        exporter.shutdown()
        thread.join()


FAULTS: dict[tuple[str, ...], Callable[[Prometheus, Server], Fault]] = {
    ("SluiceErrorsFast", "SluiceErrorsSlow"): late,
    ("SluiceSlow", "SluiceQueueFull"): flooded,
    ("SluiceSlowTranslation",): translating,
    ("SluiceNotReady",): frozen,
    ("SluiceGone",): unknown,
    ("SluiceRestarts",): dying,
    ("SluiceMemory",): growing,
}


def test_every_alert_has_its_fault() -> None:
    assert {name for names in FAULTS for name in names} == {told["alert"] for told in ALERTS}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("names", FAULTS, ids="-".join)
def test_an_alert_fires_in_its_fault_and_clears(
    bundles_dir: Path, tmp_path: Path, names: tuple[str, ...]
) -> None:
    """Windows and waits are a twentieth of the shipped ones; thresholds are the shipped ones."""
    with (
        running_service(bundles_dir, SLUICE_QUEUE_TOKENS="3000") as server,
        running_prometheus(tmp_path, shipped_rules(_FASTER)) as prometheus,
        calling(server, ALL_TASKS[0]),
    ):
        prometheus.scrape(address(server))
        assert prometheus.wait(lambda: bool(prometheus.query("up == 1")), 60)
        fires_and_clears(prometheus, set(names), lambda: FAULTS[names](prometheus, server))
