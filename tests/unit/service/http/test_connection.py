"""Connections that send too much, too slowly or nothing: each ends, and good ones go on."""

import re
import socket
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn

from service.http.connection import Connection, ConnectionLimits
from service.http.direct import DirectConnection
from tests.unit.service.http.listening import eventually, limited, listening, port_of
from tests.unit.service.http.served import GatedModel, Served

HEADERS_S = 0.5
GET = b"GET /models HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module", params=[Connection, DirectConnection])
def server(served: Served, request: pytest.FixtureRequest) -> Iterator[uvicorn.Server]:
    """A real server around the application, on a free port; with and without the direct path."""
    limits = ConnectionLimits(headers=4_096, headers_s=HEADERS_S, connections=20)
    with listening(served, limited(request.param, limits, served)) as server:
        yield server


@pytest.fixture
def port(server: uvicorn.Server) -> int:
    return port_of(server)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def read_all(client: socket.socket) -> bytes:
    """Everything until the server closes."""
    read = b""
    while True:
        try:
            part = client.recv(65_536)
        except ConnectionResetError:
            return read
        if not part:
            return read
        read += part


def read_until(client: socket.socket, part: bytes) -> None:
    """Fails if the server closes before it has sent `part`."""
    read = b""
    while part not in read:
        more = client.recv(65_536)
        assert more, f"closed after {read!r}"
        read += more


def assert_serves(port: int) -> None:
    answer = httpx.post(f"http://127.0.0.1:{port}/ner", json={"inputs": "John Smith"}, timeout=10)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "head",
    [
        GET.replace(b"\r\n\r\n", b"\r\nA: " + b"a" * 5_000 + b"\r\n\r\n"),
        GET.replace(b"\r\n\r\n", b"\r\n" + b"A: b\r\n" * 101 + b"\r\n"),
        b"GET /" + b"a" * 5_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"a" * 5_000,
    ],
    ids=["long value", "many headers", "long path", "without end"],
)
def test_a_head_that_is_too_large_is_431(port: int, head: bytes) -> None:
    with connect(port) as client:
        client.sendall(head)
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"/problems/headers-too-large" in answer
    assert_serves(port)


@pytest.mark.parametrize("head", [b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n"])
def test_what_is_not_http_is_400(port: int, head: bytes) -> None:
    with connect(port) as client:
        client.sendall(head)
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"/problems/malformed-request" in answer


def test_a_head_that_comes_too_slowly_is_408(port: int) -> None:
    with connect(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        began = time.monotonic()
        answer = b""
        client.settimeout(0.1)
        while time.monotonic() - began < 20 and b"408" not in answer:
            try:
                client.sendall(b"A: b\r\n")
                answer += client.recv(65_536)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")


@pytest.mark.parametrize("sent", [b"", b"\r\n", GET, GET + b"\r\n", GET + b"G"])
def test_an_idle_connection_is_closed(port: int, sent: bytes) -> None:
    with connect(port) as client:
        client.sendall(sent)
        read_all(client)


def test_a_connection_is_kept_for_the_next_request(port: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(5):
            assert client.get("/models").status_code == 200
            time.sleep(HEADERS_S / 3)


def test_a_body_that_goes_on_after_the_answer_is_cut_off(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.http.connection._LINGER_S", 0.3)
    with connect(port) as client:
        client.sendall(b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n")
        assert client.recv(65_536).startswith(b"HTTP/1.1 404")
        sent = send_until_cut_off(client)
    assert sent < 1 << 30
    assert_serves(port)


def test_a_body_that_ends_after_the_answer_ends_no_connection(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.http.connection._LINGER_S", 0.2)
    with connect(port) as client:
        client.sendall(b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbegun")
        read_until(client, b"unknown-path")
        client.sendall(b"end.")
        time.sleep(0.4)
        client.sendall(GET)
        read_until(client, b"HTTP/1.1 200")


def send_until_cut_off(client: socket.socket) -> int:
    sent = 0
    while sent < 1 << 30:
        try:
            client.sendall(b"x" * 65_536)
        except OSError:
            break
        sent += 65_536
        time.sleep(0.001)
    return sent


def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    with connect(port) as client:
        client.sendall(GET + b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
        read = b""
        while read.count(b"HTTP/1.1") < 3:
            read += client.recv(65_536)
    assert re.findall(rb"HTTP/1.1 (\d+)", read) == [b"200", b"404", b"200"]


def test_a_thousand_pipelined_requests_end_the_connection(port: int) -> None:
    with connect(port) as client:
        client.sendall(GET * 1_000)
        assert b"requests wait" in read_all(client)
    assert_serves(port)


def test_one_connection_too_many_is_503_and_there_is_room_again(port: int) -> None:
    clients = [connect(port) for _ in range(40)]
    answers = [client.recv(65_536) for client in clients[-5:]]
    assert all(answer.startswith(b"HTTP/1.1 503") for answer in answers)
    assert all(b"retry-after" in answer for answer in answers)
    for client in clients:
        client.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if httpx.get(f"http://127.0.0.1:{port}/models").status_code == 200:
            return
        time.sleep(0.05)
    pytest.fail("connections that were closed are still counted")


def test_half_closed_sockets_do_not_stay(port: int, server: uvicorn.Server) -> None:
    for _ in range(100):
        with connect(port) as client:
            client.sendall(b"POST /ner HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n")
            client.shutdown(socket.SHUT_WR)
            read_all(client)
    assert_serves(port)
    assert len(server.server_state.connections) <= 1


@pytest.mark.parametrize("protocol", [Connection, DirectConnection])
def test_a_client_that_stops_sending_behind_its_request_counts_as_gone(
    gated: tuple[Served, GatedModel], protocol: type[Connection]
) -> None:
    """TCP tells a client that has gone no sooner: waiting for one would keep the rows of all."""
    served, model = gated
    limits = ConnectionLimits(headers=4_096, headers_s=30, connections=20)
    body = b'{"inputs": "John"}'
    head = b"POST /ner HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    with listening(served, limited(protocol, limits, served)) as server:
        with connect(port_of(server)) as first, connect(port_of(server)) as second:
            for client in (first, second):
                client.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
                assert model.entered.wait(5)
            second.shutdown(socket.SHUT_WR)
            assert read_all(second) == b""
            eventually(lambda: len(served.lanes[0].queue) == 0)
            model.gate.set()
            assert first.recv(65_536).startswith(b"HTTP/1.1 200")
        eventually(lambda: not server.server_state.connections)


def test_the_kernel_ends_a_connection_whose_client_does_not_read(
    port: int, server: uvicorn.Server
) -> None:
    with connect(port) as client:
        client.sendall(GET)
        client.recv(1)
        [connection] = [
            found
            for found in server.server_state.connections
            if isinstance(found, Connection) and found.client == client.getsockname()
        ]
        told: socket.socket = connection.transport.get_extra_info("socket")
        assert told.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
