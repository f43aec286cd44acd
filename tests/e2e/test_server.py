"""A real server process: every task, every bad input, the real client, and its end."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from huggingface_hub import InferenceClient

from service.bundle import find_bundles
from tests.e2e.processes import ROOT, Server, environment, running_service

EN_DE = {"src_lang": "en", "tgt_lang": "de"}
RESIDENT_MIB = 450
START_S = 5
NOT_PROMPT_S = 3 * START_S
"""A start is measured here beside other work; the promise holds for an idle machine."""


def needs(bundles_dir: Path, task: str) -> None:
    if task not in find_bundles(bundles_dir):
        pytest.skip(f"no {task} bundle has been exported yet")


def test_entities_of_a_sentence_are_found(server: Server, bundles_dir: Path) -> None:
    needs(bundles_dir, "ner")
    text = "Rudolph Smith bought 1000 shares of tesla Inc. in March 2020"
    found = server.post("/ner", {"inputs": text}).json()
    assert {entity["entity_group"] for entity in found} == {"PER", "ORG", "TIME"}
    assert all(text[entity["start"] : entity["end"]] == entity["word"] for entity in found)
    assert found[0]["word"] == "Rudolph Smith"


def test_a_person_in_a_place_is_found(server: Server, bundles_dir: Path) -> None:
    needs(bundles_dir, "ner")
    found = server.post("/ner", {"inputs": "Pankaj lives in Munich"}).json()
    pairs = [(entity["word"], entity["entity_group"]) for entity in found]
    assert pairs == [("Pankaj", "PER"), ("Munich", "LOC")]


@pytest.mark.parametrize(
    "text",
    [
        "Not only the fan was expensive, but it was broken when it arrived.",
        "There is nothing to like in this movie.",
    ],
)
def test_a_complaint_is_negative(server: Server, bundles_dir: Path, text: str) -> None:
    needs(bundles_dir, "sentiment")
    [scores] = server.post("/sentiment", {"inputs": text}).json()
    assert scores[0]["label"] == "negative"
    assert scores[0]["score"] + scores[1]["score"] == pytest.approx(1, abs=1e-5)


def test_a_question_is_translated(server: Server, bundles_dir: Path) -> None:
    needs(bundles_dir, "translation")
    body = {"inputs": "how are you?", "parameters": EN_DE}
    [answer] = server.post("/translate", body).json()
    assert answer["translation_text"].endswith("?")
    assert answer["translation_text"] != body["inputs"]


def test_the_unmodified_client_finds_entities(tiny_server: Server) -> None:
    client = InferenceClient(model=f"{tiny_server.url}/ner", token="none")
    [entity] = client.token_classification("John Smith left", aggregation_strategy="simple")
    assert (entity.word, entity.entity_group) == ("Smith", "PER")
    assert (entity.start, entity.end) == (5, 10)


def test_the_unmodified_client_gets_all_labels_of_a_text(tiny_server: Server) -> None:
    client = InferenceClient(model=f"{tiny_server.url}/sentiment", token="none")
    scores = client.text_classification("nothing to like")
    assert {found.label for found in scores} == {"negative", "positive"}


def test_the_unmodified_client_translates(tiny_server: Server) -> None:
    client = InferenceClient(model=f"{tiny_server.url}/translate", token="none")
    answer = client.translation("how are you", src_lang="en", tgt_lang="de")
    assert answer.translation_text == "how are you"


BAD: dict[str, tuple[str, bytes, int]] = {
    "not JSON": ("/ner", b"hello", 400),
    "not UTF-8": ("/ner", b'{"inputs": "\xff"}', 400),
    "empty body": ("/ner", b"", 400),
    "wrong shape": ("/ner", b"[]", 422),
    "missing field": ("/ner", b"{}", 422),
    "extra field": ("/ner", b'{"inputs": "a", "b": 1}', 422),
    "empty string": ("/sentiment", b'{"inputs": ""}', 422),
    "blanks only": ("/sentiment", b'{"inputs": " \\n "}', 422),
    "nothing to translate": (
        "/translate",
        b'{"inputs": "", "parameters": {"tgt_lang": "de"}}',
        422,
    ),
    "5001 characters": ("/ner", json.dumps({"inputs": "a" * 5_001}).encode(), 422),
    "65 inputs": ("/ner", json.dumps({"inputs": ["a"] * 65}).encode(), 422),
    "2 MiB": ("/ner", json.dumps({"inputs": "a" * (2 << 20)}).encode(), 413),
    "lone surrogate": ("/ner", b'{"inputs": "a\\ud800b"}', 422),
    "unknown language": ("/translate", b'{"inputs": "a", "parameters": {"tgt_lang": "xx"}}', 404),
    "same language": (
        "/translate",
        b'{"inputs": "a", "parameters": {"src_lang": "de", "tgt_lang": "de"}}',
        422,
    ),
    "unknown path": ("/nowhere", b"{}", 404),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_has_its_status_and_the_next_good_call_works(
    tiny_server: Server, name: str
) -> None:
    path, body, status = BAD[name]
    headers = {"Content-Type": "application/json"}
    response = httpx.post(tiny_server.url + path, content=body, headers=headers, timeout=30)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"]
    assert tiny_server.post("/ner", {"inputs": "John Smith"}).status_code == 200


@pytest.mark.parametrize("media_type", ["text/plain", "application/vnd.bentoml+pickle"])
def test_another_media_type_is_415(tiny_server: Server, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    response = httpx.post(tiny_server.url + "/ner", content=b"\x80\x04N.", headers=headers)
    assert response.status_code == 415


@pytest.mark.parametrize(
    "method, path", [("GET", "/ner"), ("PUT", "/translate"), ("POST", "/livez")]
)
def test_a_wrong_method_is_405_and_tells_the_right_one(
    tiny_server: Server, method: str, path: str
) -> None:
    response = httpx.request(method, tiny_server.url + path)
    assert response.status_code == 405
    assert response.headers["allow"]
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "text",
    [
        "null \x00 byte and \x1b[31m controls",
        "\U0001f600 \U0001f44d\U0001f3fd \U0001f468\u200d\U0001f469\u200d\U0001f467",
        "e\u0301\u0302\u0303" * 50,
        "\u0645\u0631\u062d\u0628\u0627 \u202e back \u202c",
        "\u0915\u094d\u092f\u093e \u0939\u093e\u0932 \u0939\u0948?",
        "a" * 5_000,
    ],
)
def test_odd_text_is_answered(tiny_server: Server, text: str) -> None:
    for path in ("/ner", "/sentiment", "/translate"):
        body = {"inputs": text, "parameters": {"tgt_lang": "de"} if path == "/translate" else {}}
        response = tiny_server.post(path, body)
        assert response.status_code in (200, 422)
        refused = "" if response.status_code == 200 else response.json()["detail"]
        assert not refused or "limit" in refused or "not translated to" in refused


def test_bad_calls_do_not_disturb_their_neighbours(tiny_server: Server) -> None:
    statuses: Counter[int] = Counter()

    def call(body: Any) -> None:
        statuses[tiny_server.post("/ner", body).status_code] += 1

    bodies = [{"inputs": "John Smith"}, {"inputs": 5}, {"inputs": "a" * 6_000}, []] * 10
    threads = [threading.Thread(target=call, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == {200: 10, 422: 30}


def test_a_request_whose_caller_is_gone_leaves_the_server_well(tiny_server: Server) -> None:
    port = int(tiny_server.url.rpartition(":")[2])
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(
                b"POST /ner HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                b'Content-Length: 15\r\n\r\n{"inputs": "a"}'
            )
    time.sleep(0.2)
    assert tiny_server.post("/ner", {"inputs": "John Smith"}).status_code == 200
    in_progress = [
        line
        for line in tiny_server.get("/metrics").text.splitlines()
        if line.startswith("sluice_requests_in_progress")
    ]
    assert in_progress
    assert all(line.endswith(" 0.0") for line in in_progress)


def test_probes_metrics_and_documents_are_there(tiny_server: Server) -> None:
    for path in ("/livez", "/healthz", "/readyz", "/", "/docs", "/openapi.json", "/models"):
        assert tiny_server.get(path).status_code == 200
    metrics = tiny_server.get("/metrics").text
    for name in ("sluice_requests_total", "sluice_batch_rows", "sluice_decoder_steps_total"):
        assert name in metrics
    assert "bentoml_" not in metrics


def test_answers_tell_their_times(tiny_server: Server) -> None:
    told = tiny_server.post("/ner", {"inputs": "John Smith"}).headers["server-timing"]
    assert [part.partition(";")[0] for part in told.split(", ")] == [
        "queue",
        "tokenize",
        "infer",
        "total",
    ]


def test_the_service_leaves_torch_alone() -> None:
    check = (
        "import service.app, sys; sys.exit(any(m in sys.modules for m in ('torch', 'training')))"
    )
    subprocess.run([sys.executable, "-c", check], cwd=ROOT, env=environment(), check=True)


def test_it_starts_in_time_and_stays_small(server: Server) -> None:
    assert server.ready_s < NOT_PROMPT_S
    worker = psutil.Process(server.process.pid).children()[0]
    assert worker.memory_info().rss / 2**20 < RESIDENT_MIB


@pytest.mark.parametrize("lean", ["false", "true"])
def test_a_signal_finishes_accepted_requests_and_exits_0(tiny_bundles: Path, lean: str) -> None:
    """No call is cut off: what was accepted is answered, what came later is told 503."""
    statuses: Counter[str] = Counter()
    stopping = threading.Event()
    many = {"inputs": ["how are you. " * 20] * 32, "parameters": {"tgt_lang": "de"}}
    one = {"inputs": "John Smith " * 200}

    def call(path: str, body: dict[str, Any]) -> None:
        while not stopping.is_set():
            try:
                statuses[str(server.post(path, body).status_code)] += 1
            except httpx.TransportError as error:
                statuses[type(error).__name__] += 1

    with running_service(tiny_bundles, SLUICE_LEAN_PATH=lean) as server:
        threads = [
            threading.Thread(target=call, args=asked)
            for asked in (("/translate", many), ("/ner", one))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        time.sleep(1)
        server.process.terminate()
        stopping.set()
        for thread in threads:
            thread.join()
        assert server.process.wait(30) == 0
    assert statuses["200"] >= 4
    assert set(statuses) <= {"200", "503"}


def test_readiness_goes_at_once_when_the_service_is_told_to_stop(tiny_bundles: Path) -> None:
    with running_service(tiny_bundles) as server:
        body = {"inputs": ["how are you. " * 30] * 64, "parameters": {"tgt_lang": "de"}}
        answers: list[int] = []
        running = threading.Thread(
            target=lambda: answers.append(server.post("/translate", body).status_code)
        )
        running.start()
        time.sleep(0.3)
        server.process.terminate()
        time.sleep(0.2)
        assert server.get("/readyz").status_code == 503
        assert server.get("/livez").status_code == 200
        assert server.post("/ner", {"inputs": "late"}).status_code == 503
        running.join()
        assert answers == [200]
        assert server.process.wait(30) == 0


def test_workers_do_not_outlive_a_killed_supervisor(tiny_bundles: Path) -> None:
    with running_service(tiny_bundles) as server:
        [worker] = psutil.Process(server.process.pid).children()
        server.process.kill()
        worker.wait(20)
        with pytest.raises(httpx.ConnectError):
            server.get("/livez")


def test_two_instances_do_not_share_their_metrics(tiny_bundles: Path, tiny_server: Server) -> None:
    tiny_server.post("/ner", {"inputs": "a"})
    with running_service(tiny_bundles) as other:
        assert "sluice_requests_total{" not in other.get("/metrics").text
        assert "sluice_requests_total{" in tiny_server.get("/metrics").text
