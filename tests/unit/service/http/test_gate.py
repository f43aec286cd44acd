"""A full queue refuses by the head alone, and only where nobody else must see the request."""

import socket
from collections.abc import Iterator

import httpx
import msgspec
import pytest

from service.http.connection import Connection, ConnectionLimits
from service.http.gate import gate_of
from service.http.messages import Response
from service.settings import Settings
from tests.unit.service.http.listening import listening, port_of
from tests.unit.service.http.served import Served

FULL = Response(b'{"full": true}', "application/problem+json", 429, (("retry-after", "2"),))
HEADERS = [(b"content-length", b"20")]


class Turning:
    """Turns away what goes to /ner while `full`."""

    def __init__(self) -> None:
        self.full = False
        self.sizes: list[int] = []

    def __call__(self, path: str, size: int) -> Response | None:
        if path != "/ner" or not self.full:
            return None
        self.sizes.append(size)
        return FULL


@pytest.fixture(scope="module")
def turning() -> Turning:
    return Turning()


@pytest.fixture(scope="module")
def url(served: Served, turning: Turning) -> Iterator[str]:
    """A real server around the application, whose connections ask the gate."""
    gate = gate_of(turning, Settings())
    assert gate is not None
    limits = ConnectionLimits(headers=4_096, headers_s=1, connections=20)
    gated = type("Gated", (Connection,), {"limits": limits, "gate": staticmethod(gate)})
    with listening(served, gated) as server:
        yield f"http://127.0.0.1:{port_of(server)}"


@pytest.fixture(autouse=True)
def open_again(turning: Turning) -> Iterator[None]:
    yield
    turning.full = False


def test_a_connection_that_was_turned_away_goes_on(url: str, turning: Turning) -> None:
    with httpx.Client(base_url=url) as client:
        turning.full = True
        refused = client.post("/ner", json={"inputs": "Oslo"}, headers={"X-Request-ID": "mine"})
        turning.full = False
        answered = client.post("/ner", json={"inputs": "John Smith"})
    assert (refused.status_code, refused.json()) == (429, {"full": True})
    assert (refused.headers["retry-after"], refused.headers["x-request-id"]) == ("2", "mine")
    assert answered.status_code == 200


def test_other_paths_and_methods_pass_the_gate(url: str, turning: Turning) -> None:
    turning.full = True
    with httpx.Client(base_url=url) as client:
        assert client.get("/models").status_code == 200
        assert client.get("/ner").status_code == 405
        assert client.post("/sentiment", json={"inputs": "Good"}).status_code in (200, 404)


def test_requests_in_one_packet_are_each_turned_away(url: str, turning: Turning) -> None:
    turning.full = True
    request = b"POST /ner HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port or 80), timeout=5) as client:
        client.sendall(3 * request)
        read = b""
        while read.count(b'{"full": true}') < 3:
            read += client.recv(65_536)
    assert read.count(b"HTTP/1.1 429 Too Many Requests") == 3


def test_a_body_that_comes_late_is_read_past(url: str, turning: Turning) -> None:
    turning.full = True
    address = httpx.URL(url)
    body = msgspec.json.encode({"inputs": "John Smith"})
    head = b"POST /ner HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    request = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with socket.create_connection((address.host, address.port or 80), timeout=5) as client:
        client.sendall(request[:-5])
        assert client.recv(65_536).startswith(b"HTTP/1.1 429")
        turning.full = False
        client.sendall(request[-5:] + request)
        assert client.recv(65_536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "observed",
    [
        {"access_log": True},
        {"cors_origins": "https://example.org"},
        {"rate_limit": 5.0},
    ],
)
def test_there_is_no_gate_where_others_must_see_each_request(observed: dict[str, object]) -> None:
    assert gate_of(lambda path, size: FULL, Settings(**observed)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [b"", b"-1", b"many"])
def test_a_head_without_a_size_passes(size: bytes) -> None:
    gate = gate_of(lambda path, size: FULL, Settings())
    assert gate is not None
    assert gate(b"/ner", [(b"content-length", size)]) is None
    assert gate(b"/ner", []) is None
    assert gate(b"/ner", HEADERS) is not None
