"""What a request passes before the application: id, log, origin, key, rate, port."""

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.http.front import operators_front, public_front
from service.http.logs import JsonFormatter
from service.http.ratelimit import TokenBuckets
from service.http.requestid import REQUEST_ID
from service.keys import NewKey, make_key
from service.settings import Settings
from tests.unit.service.http.served import Served

BODY = {"inputs": "John Smith"}


@pytest.fixture
def key() -> NewKey:
    return make_key("anna")


@pytest.fixture
def keys_file(tmp_path: Path, key: NewKey) -> Path:
    path = tmp_path / "keys"
    path.write_text(key.line)
    return path


def behind(served: Served, front: Any = public_front, **told: Any) -> "Front":
    return Front(served, front(served.application, Settings(**told)))


class Front:
    """A front before the served application; calls block."""

    def __init__(self, served: Served, app: Any) -> None:
        self._served, self._app = served, app

    def request(self, method: str, path: str, **told: Any) -> httpx.Response:
        return self._served.run(self._call(method, path, **told))

    async def _call(self, method: str, path: str, **told: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, **told)

    def ner(self, **headers: str) -> httpx.Response:
        return self.request("POST", "/ner", json=BODY, headers=headers)


def bearer(key: NewKey) -> dict[str, str]:
    return {"Authorization": f"Bearer {key.key}"}


def test_without_a_key_there_is_401_and_no_answer(served: Served, keys_file: Path) -> None:
    front = behind(served, api_keys_file=keys_file)
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Basic YTpi"}):
        refused = front.ner(**headers)
        assert refused.status_code == 401
        assert refused.json()["type"] == "/problems/key-missing"
        assert refused.headers["www-authenticate"] == "Bearer"
    assert front.ner(Authorization="Bearer none").json()["type"] == "/problems/key-wrong"


def test_a_key_opens_the_tasks_in_either_header(
    served: Served, keys_file: Path, key: NewKey
) -> None:
    front = behind(served, api_keys_file=keys_file)
    assert front.ner(**bearer(key)).status_code == 200
    assert front.ner(**{"X-API-Key": key.key}).status_code == 200
    assert front.ner(Authorization=f"bearer {key.key}").status_code == 200


def test_pages_are_public_and_all_else_is_not(served: Served, keys_file: Path) -> None:
    front = behind(served, api_keys_file=keys_file)
    for path in ("/", "/docs", "/docs/swagger-ui.css", "/openapi.json"):
        assert front.request("GET", path).status_code == 200
    for path in ("/models", "/metrics", "/nowhere", "/docsx"):
        assert front.request("GET", path).status_code == 401


def test_the_metrics_name_the_key_and_do_not_tell_it(
    served: Served, keys_file: Path, key: NewKey
) -> None:
    front = behind(served, api_keys_file=keys_file)
    front.ner(**bearer(key))
    told = front.request("GET", "/metrics", headers=bearer(key)).text
    assert 'sluice_key_requests_total{key="anna",status="200"}' in told
    assert key.key not in told


def test_a_key_that_calls_too_often_is_429_and_others_are_not(
    served: Served, tmp_path: Path, key: NewKey
) -> None:
    other = make_key("bo")
    (tmp_path / "keys").write_text(f"{key.line}\n{other.line}\n")
    front = behind(served, api_keys_file=tmp_path / "keys", rate_limit=0.01, rate_burst=2)
    assert [front.ner(**bearer(key)).status_code for _ in range(3)] == [200, 200, 429]
    refused = front.ner(**bearer(key))
    assert refused.json()["type"] == "/problems/rate-exceeded"
    assert 0 < int(refused.headers["retry-after"]) <= 100
    assert front.ner(**bearer(other)).status_code == 200


def test_a_wrong_key_costs_nobody_a_token(served: Served, keys_file: Path, key: NewKey) -> None:
    front = behind(served, api_keys_file=keys_file, rate_limit=0.01, rate_burst=1)
    for _ in range(5):
        assert front.ner(Authorization="Bearer wrong").status_code == 401
    assert front.ner(**bearer(key)).status_code == 200


def test_workers_share_a_bucket_and_it_fills_again(tmp_path: Path) -> None:
    now = [1_000.0]
    one, two = (TokenBuckets(tmp_path, rate=2, burst=3, clock=lambda: now[0]) for _ in range(2))
    assert [one.take("anna"), two.take("anna"), one.take("anna")] == [0, 0, 0]
    assert two.take("anna") == pytest.approx(0.5)
    now[0] += 0.5
    assert one.take("anna") == 0
    assert two.take("anna") > 0
    now[0] += 60
    assert [two.take("anna") for _ in range(4)] == [0, 0, 0, pytest.approx(0.5)]


@pytest.mark.parametrize("told", ["me-1", "a" * 128, "01:ab/c+d="])
def test_a_request_keeps_its_id(served: Served, told: str) -> None:
    assert behind(served).ner(**{"X-Request-ID": told}).headers["x-request-id"] == told


@pytest.mark.parametrize("told", ["", "a b", "a" * 129, "<script>", "é"])
def test_an_id_that_is_none_is_replaced(served: Served, told: str) -> None:
    headers = {"X-Request-ID": told.encode("latin-1")}
    answer = behind(served).request("POST", "/ner", json=BODY, headers=headers)
    assert len(answer.headers["x-request-id"]) == 32


def test_refusals_have_an_id_and_no_two_are_the_same(served: Served, keys_file: Path) -> None:
    front = behind(served, api_keys_file=keys_file)
    assert len({front.ner().headers["x-request-id"] for _ in range(5)}) == 5


def test_no_origin_is_allowed_unless_told(served: Served) -> None:
    answer = behind(served).ner(Origin="https://a.example")
    assert "access-control-allow-origin" not in answer.headers


def test_the_origins_told_are_allowed_and_no_others(served: Served, keys_file: Path) -> None:
    origins = "https://a.example,http://b.example:8080"
    front = behind(served, api_keys_file=keys_file, cors_origins=origins)
    asked = {"Access-Control-Request-Method": "POST"}
    for origin in origins.split(","):
        told = front.request("OPTIONS", "/ner", headers={"Origin": origin, **asked})
        assert told.headers["access-control-allow-origin"] == origin
        assert front.ner(Origin=origin).headers["access-control-allow-origin"] == origin
    other = {"Origin": "https://c.example", **asked}
    refused = front.request("OPTIONS", "/ner", headers=other)
    assert "access-control-allow-origin" not in refused.headers


def test_metrics_leave_the_callers_port_for_the_operators(served: Served, keys_file: Path) -> None:
    told = {"api_keys_file": keys_file, "admin_port": 3001}
    operators = behind(served, operators_front, **told)
    assert operators.request("GET", "/metrics").status_code == 200
    assert operators.ner().status_code == 404
    assert behind(served, admin_port=3001).request("GET", "/metrics").status_code == 404
    assert behind(served, admin_port=3001).ner().status_code == 200


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    caplog.handler.setFormatter(JsonFormatter())
    with caplog.at_level(logging.INFO, "sluice.access"):
        yield caplog


def test_a_line_tells_the_request_and_neither_text_nor_key(
    served: Served, keys_file: Path, key: NewKey, lines: pytest.LogCaptureFixture
) -> None:
    front = behind(served, api_keys_file=keys_file, access_log=True)
    front.ner(**bearer(key), **{"X-Request-ID": "me-1"})
    line = json.loads(lines.text)
    assert (line["method"], line["path"], line["status"]) == ("POST", "/ner", 200)
    assert (line["key"], line["request_id"]) == ("anna", "me-1")
    assert line["ms"] > 0
    assert "Smith" not in lines.text
    assert key.key not in lines.text


def test_texts_are_logged_where_asked_for(served: Served, lines: pytest.LogCaptureFixture) -> None:
    behind(served, access_log=True, log_texts=True).ner()
    assert json.loads(json.loads(lines.text)["text"]) == BODY


def test_a_path_cannot_begin_a_line(served: Served, lines: pytest.LogCaptureFixture) -> None:
    behind(served, access_log=True).request("GET", "/a%0Ab" + "c" * 500)
    assert len(lines.text.splitlines()) == 1
    assert len(json.loads(lines.text)["path"]) < 250


def test_a_failure_is_one_line_with_its_trace() -> None:
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        record = logging.getLogger("sluice").makeRecord(
            "sluice", logging.ERROR, __file__, 1, "failed", (), sys.exc_info()
        )
    token = REQUEST_ID.set("me-1")
    line = JsonFormatter().format(record)
    REQUEST_ID.reset(token)
    assert "\n" not in line
    assert "RuntimeError: broken" in json.loads(line)["exception"]
    assert json.loads(line)["request_id"] == "me-1"
