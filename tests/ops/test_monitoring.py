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
import psutil
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
    fault: Callable[[], contextlib.AbstractContextManager[None]],
) -> None:
    """All of `names` fire while the fault lasts, and none some time after it."""
    began = time.monotonic()
    with fault():
        assert prometheus.wait(lambda: names <= prometheus.firing(), 120), prometheus.firing()
        fired_s = time.monotonic() - began
    began = time.monotonic()
    assert prometheus.wait(lambda: not names & prometheus.firing(), 240), prometheus.firing()
    record("alert", names=sorted(names), fired_s=fired_s, cleared_s=time.monotonic() - began)


@contextlib.contextmanager
def frozen(process: psutil.Process) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def unknown(prometheus: Prometheus, server: Server) -> Iterator[None]:
    prometheus.scrape()
    yield
    prometheus.scrape(address(server))


@contextlib.contextmanager
def dying(server: Server) -> Iterator[None]:
    """The worker is killed whenever it serves."""
    until = threading.Event()

    def kill_again() -> None:
        while not until.wait(3):
            with contextlib.suppress(psutil.Error):
                server.workers()[0].kill()

    thread = threading.Thread(target=kill_again)
    thread.start()
    yield
    until.set()
    thread.join()


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


@pytest.mark.timeout(1_500)
def test_every_alert_fires_in_its_fault_and_clears(bundles_dir: Path, tmp_path: Path) -> None:
    """Windows and waits are a twentieth of the shipped ones; thresholds are the shipped ones."""
    late = {"X-Request-Timeout": "0.001"}
    many = {"inputs": [LONG] * 32}
    with (
        running_service(bundles_dir, SLUICE_QUEUE_TOKENS="3000") as server,
        running_prometheus(tmp_path, shipped_rules(_FASTER)) as prometheus,
        calling(server, ALL_TASKS[0]),
    ):
        prometheus.scrape(address(server))
        assert prometheus.wait(lambda: bool(prometheus.query("up == 1")), 60)
        faults: dict[tuple[str, ...], Callable[[], contextlib.AbstractContextManager[None]]] = {
            ("SluiceErrorsFast", "SluiceErrorsSlow"): lambda: calling(
                server, ("/ner", {"inputs": "a"}, late), ("/ner", {"inputs": "a"}, late)
            ),
            ("SluiceSlow", "SluiceQueueFull"): lambda: calling(
                server, *[("/ner", many, {})] * 8, *[("/sentiment", {"inputs": LONG}, {})] * 8
            ),
            ("SluiceSlowTranslation",): lambda: calling(
                server, *[("/translate", {"inputs": LONG * 2, "parameters": DE}, {})] * 8
            ),
            ("SluiceNotReady",): lambda: frozen(server.workers()[0]),
            ("SluiceGone",): lambda: unknown(prometheus, server),
            ("SluiceRestarts",): lambda: dying(server),
            ("SluiceMemory",): lambda: growing(prometheus, server),
        }
        assert {name for names in faults for name in names} == {told["alert"] for told in ALERTS}
        for names, fault in faults.items():
            fires_and_clears(prometheus, set(names), fault)
