"""Workers that die, bundles that change, callers that leave: real processes, counted."""

import contextlib
import json
import shutil
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from service.bundle import MANIFEST
from tests.e2e.processes import START_S, Server, running_service

KEY = "a key of this test only"
EN_DE = {"tgt_lang": "de"}


def workers(server: Server) -> list[psutil.Process]:
    return psutil.Process(server.process.pid).children()


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds: a busy machine is no failure."""
    deadline = time.monotonic() + START_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def rows(server: Server, outcome: str) -> float:
    lines = server.get("/metrics").text.splitlines()
    name = f"sluice_{outcome}_rows_total{{"
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def accounted(server: Server) -> bool:
    told = sum(rows(server, each) for each in ("answered", "cancelled", "expired", "failed"))
    return rows(server, "accepted") == told


class Load:
    """Calls from some threads until it is stopped; counts the outcomes."""

    def __init__(self, server: Server, threads: int = 4) -> None:
        self.outcomes: Counter[str] = Counter()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._call, args=(server,)) for _ in range(threads)
        ]

    def _call(self, server: Server) -> None:
        while not self._stop.is_set():
            try:
                self.outcomes[str(server.post("/ner", {"inputs": "John Smith"}).status_code)] += 1
            except httpx.TransportError as error:
                self.outcomes[type(error).__name__] += 1

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        eventually(lambda: self.outcomes["200"] > 20)
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize(
    "settings", [{}, {"BENTOML_CONTAINERIZED": "True"}, {"SLUICE_LEAN_PATH": "true"}]
)
def test_a_killed_worker_is_replaced_and_costs_only_what_it_held(
    tiny_bundles: Path, settings: dict[str, Any]
) -> None:
    with running_service(tiny_bundles, SLUICE_WORKERS="2", **settings) as server:
        killed, other = workers(server)
        with Load(server, threads=4) as load:
            killed.kill()
            eventually(lambda: len(workers(server)) == 2)
            before = load.outcomes["200"]
            eventually(lambda: load.outcomes["200"] > before + 100)
        assert other.is_running()
        assert sum(load.outcomes.values()) - load.outcomes["200"] <= 4
        assert server.stop() == 0


def test_workers_that_cannot_stay_alive_end_the_service(tiny_bundles: Path) -> None:
    with running_service(tiny_bundles) as server:
        kills = 0
        while server.process.poll() is None and kills < 20:
            with contextlib.suppress(psutil.NoSuchProcess):
                for worker in workers(server):
                    worker.kill()
                    kills += 1
            time.sleep(0.05)
        assert server.process.wait(30) == 1


def newer(bundles: Path, version: str) -> Path:
    """The entity bundle once more, as another version."""
    copy = bundles / "ner" / version
    shutil.copytree(bundles / "ner" / "1.0.0", copy)
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["version"] = version
    (copy / MANIFEST).write_text(json.dumps(manifest))
    return copy


def version(server: Server) -> str:
    with httpx.Client() as fresh:  # a new connection: any worker may answer
        models = fresh.get(server.url + "/models").json()["models"]
    return str(next(model["version"] for model in models if model["task"] == "ner"))


def reload(server: Server, key: str = KEY) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.post(f"{server.url}/admin/reload", headers=headers, timeout=60)


@pytest.fixture(scope="module")
def reloadable(
    tiny_bundles: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Path]]:
    bundles = tmp_path_factory.mktemp("reloaded") / "bundles"
    shutil.copytree(tiny_bundles, bundles)
    with running_service(bundles, SLUICE_WORKERS="2", SLUICE_ADMIN_KEY=KEY) as server:
        yield server, bundles


def test_new_bundles_take_over_under_load_without_a_failed_request(
    reloadable: tuple[Server, Path],
) -> None:
    server, bundles = reloadable
    newer(bundles, "1.0.1")
    with Load(server) as load:
        assert reload(server).status_code == 200
        eventually(lambda: all(version(server) == "1.0.1" for _ in range(20)))
    assert set(load.outcomes) == {"200"}


def test_a_bad_bundle_is_refused_and_the_old_one_serves(reloadable: tuple[Server, Path]) -> None:
    server, bundles = reloadable
    before = version(server)
    broken = newer(bundles, "9.0.0")
    (broken / "words.json").write_text("{}")
    refused = reload(server)
    shutil.rmtree(broken)
    assert refused.status_code == 409
    assert "words.json: damaged" in refused.json()["detail"]
    assert version(server) == before
    assert server.post("/ner", {"inputs": "John Smith"}).status_code == 200


def test_only_the_key_reloads(reloadable: tuple[Server, Path], tiny_server: Server) -> None:
    server, _ = reloadable
    assert reload(server, "another key").status_code == 401
    assert httpx.post(f"{server.url}/admin/reload").status_code == 401
    assert reload(tiny_server).status_code == 404


def send_and_leave(port: int, body: bytes, *, sent: int) -> None:
    """Send `sent` bytes of a request, and close the connection."""
    head = (
        b"POST /translate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall((head + body)[:sent])
        time.sleep(0.05)


def test_every_accepted_row_is_accounted_for_whoever_leaves_at_whatever_stage(
    tiny_bundles: Path,
) -> None:
    with running_service(tiny_bundles, SLUICE_LEAN_PATH="true") as server:
        port = int(server.url.rpartition(":")[2])
        body = json.dumps({"inputs": ["how are you. " * 30] * 64, "parameters": EN_DE}).encode()
        for sent in (10, 150, len(body) // 2, len(body) + 500, len(body) + 500):
            send_and_leave(port, body, sent=sent)
        late = server.post(
            "/translate", json.loads(body), **{"X-Request-Timeout": "0.05"}
        ).status_code
        assert late in (429, 504)
        assert server.post("/ner", {"inputs": "John Smith"}).status_code == 200
        eventually(lambda: accounted(server))
        assert rows(server, "accepted") >= 1
        assert 'sluice_requests_in_progress{model_version="1.0.0",task="translation"} 0.0' in (
            server.get("/metrics").text
        )


def test_some_thousand_mixed_requests_leave_no_memory_behind(tiny_bundles: Path) -> None:
    """The soak in miniature; `make soak` is the long one."""
    with running_service(tiny_bundles, SLUICE_LEAN_PATH="true") as server:
        [worker] = workers(server)
        with httpx.Client(base_url=server.url, timeout=60) as client:

            def some(count: int) -> None:
                for number in range(count):
                    text = "John Smith " * (1 + number % 40)
                    client.post("/ner", json={"inputs": text})
                    client.post("/sentiment", json={"inputs": [text, "good"]})
                    client.post("/translate", json={"inputs": "how are you", "parameters": EN_DE})
                    client.post("/ner", json={"inputs": 5})
                    client.get(f"/nowhere/{number}")

            some(150)
            warm = worker.memory_info().rss
            some(450)
            assert worker.memory_info().rss <= 1.05 * warm
            series = len(client.get("/metrics").text.splitlines())
            some(20)
            assert len(client.get("/metrics").text.splitlines()) == series
            assert accounted(server)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
