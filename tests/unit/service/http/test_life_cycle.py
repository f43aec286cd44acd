"""Load, deadlines, hang-ups, failures, start and stop: what a caller is told, and who is left."""

import asyncio
import json
import logging
import time
from collections.abc import MutableMapping
from typing import Any

import pytest

from service.http.application import Application
from tests.unit.service.http.served import LIMITS, GatedModel, Served, counted

Gated = tuple[Served, GatedModel]
HEADERS = [(b"content-type", b"application/json")]


def scope_of(path: str, method: str = "POST") -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path, "headers": HEADERS}


def body_of(*texts: str) -> dict[str, list[str]]:
    return {"inputs": list(texts)}


def test_a_full_queue_is_429_with_retry_after(gated: Gated) -> None:
    served, model = gated
    first = served.begin(served.call("POST", "/ner", json=body_of("a " * 15)))
    assert model.entered.wait(5)
    second = served.begin(served.call("POST", "/ner", json=body_of("a " * 15)))
    while served.lanes[0].queue.tokens != 15:
        time.sleep(0.01)
    refused = served.post("/ner", body_of("a " * 15))
    assert refused.status_code == 429
    assert refused.json()["type"] == "/problems/queue-full"
    assert int(refused.headers["retry-after"]) >= 1
    model.gate.set()
    assert [first().status_code, second().status_code] == [200, 200]


def test_an_answer_later_than_its_deadline_is_504(gated: Gated) -> None:
    served, _ = gated
    began = time.monotonic()
    response = served.post("/ner", body_of("John"), **{"X-Request-Timeout": "0.05"})
    assert response.status_code == 504
    assert "0.05 s" in response.json()["detail"]
    assert time.monotonic() - began < 5


def test_a_row_that_waits_past_its_deadline_is_504(gated: Gated) -> None:
    served, model = gated
    first = served.begin(served.call("POST", "/ner", json=body_of("a")))
    assert model.entered.wait(5)
    told = {"X-Request-Timeout": "0.2"}
    late = served.begin(served.call("POST", "/ner", json=body_of("b"), headers=told))
    time.sleep(0.3)
    model.gate.set()
    assert late().status_code == 504
    assert first().status_code == 200


def test_a_failing_session_is_500_without_trace(
    gated: Gated, caplog: pytest.LogCaptureFixture
) -> None:
    served, model = gated
    model.fails = True
    model.gate.set()
    with caplog.at_level(logging.ERROR, "sluice"):
        response = served.post("/ner", body_of("John"))
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "secret" not in response.text
    assert "secret of the session" in caplog.text
    model.fails = False
    assert served.post("/ner", body_of("John")).status_code == 200


def test_rows_of_a_caller_who_hangs_up_leave_the_queue(gated: Gated) -> None:
    served, model = gated
    first = served.begin(served.call("POST", "/ner", json=body_of("a")))
    assert model.entered.wait(5)
    before = counted("sluice_cancelled_rows_total")
    statuses = served.run(hang_up(served.application))
    assert statuses == [499]
    assert counted("sluice_cancelled_rows_total") == before + 2
    model.gate.set()
    assert first().status_code == 200
    assert served.post("/ner", body_of("John")).status_code == 200


async def hang_up(application: Application) -> list[int]:
    """Send two texts, and close the connection a moment later."""
    body = json.dumps(body_of("b", "c")).encode()
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])
    statuses: list[int] = []

    async def receive() -> MutableMapping[str, Any]:
        message = next(messages, None)
        if message is None:
            await asyncio.sleep(0.1)
            return {"type": "http.disconnect"}
        return message

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await application(scope_of("/ner"), receive, send)
    return statuses


def test_a_body_that_never_ends_is_408(served: Served) -> None:
    hurried = Application(LIMITS._replace(timeout_s=0.1))
    hurried.serve(handler.endpoint for handler in served.application.handlers)
    assert served.run(stall(hurried)) == [408]


async def stall(application: Application) -> list[int]:
    """Send half a body and wait."""
    messages = iter([{"type": "http.request", "body": b'{"inp', "more_body": True}])
    statuses: list[int] = []

    async def receive() -> MutableMapping[str, Any]:
        message = next(messages, None)
        if message is None:
            await asyncio.sleep(30)
        return message or {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await application(scope_of("/ner"), receive, send)
    return statuses


def test_before_its_models_are_there_a_task_is_503(served: Served) -> None:
    ready = served.application
    served.application = Application(LIMITS)
    try:
        response = served.post("/ner", {"inputs": "a"})
        document = served.request("GET", "/openapi.json")
    finally:
        served.application = ready
    assert (response.status_code, document.status_code) == (503, 503)
    assert response.json()["type"] == "/problems/starting"
    assert int(response.headers["retry-after"]) >= 1


def test_a_task_without_a_bundle_is_404(gated: Gated) -> None:
    served, _ = gated
    response = served.post("/sentiment", {"inputs": "a"})
    assert response.status_code == 404
    assert response.json()["type"] == "/problems/unknown-model"


def test_draining_finishes_what_was_accepted_and_refuses_the_rest(gated: Gated) -> None:
    served, model = gated
    first = served.begin(served.call("POST", "/ner", json=body_of("John Smith")))
    assert model.entered.wait(5)
    drained = served.begin(served.application.drain(10))
    while served.application.ready:
        time.sleep(0.01)
    refused = served.post("/ner", body_of("late"))
    assert refused.status_code == 503
    assert refused.json()["type"] == "/problems/draining"
    assert "retry-after" in refused.headers
    model.gate.set()
    assert first().status_code == 200
    assert drained() is True


def test_what_outlasts_the_drain_is_told_so(gated: Gated) -> None:
    served, model = gated
    first = served.begin(served.call("POST", "/ner", json=body_of("John Smith")))
    assert model.entered.wait(5)
    assert served.run(served.application.drain(0.1)) is False
    assert first().status_code == 503


def test_a_web_socket_is_closed(served: Served) -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    served.run(served.application({"type": "websocket", "path": "/"}, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_an_unforeseen_error_of_a_page_is_500(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(request: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setitem(served.application._pages, "/models", broken)
    with caplog.at_level(logging.ERROR, "sluice"):
        response = served.request("GET", "/models")
    assert (response.status_code, "secret" in response.text) == (500, False)
    assert "secret" in caplog.text
