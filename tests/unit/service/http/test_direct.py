"""The direct path: the same answers, counts and endings as the ASGI way, and in the same order."""

import asyncio
import gc
import re
import socket
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest
import uvicorn

from service.http.connection import Connection, ConnectionLimits
from service.http.direct import Direct, DirectConnection, Exchange
from tests.unit.service.http.listening import eventually, listening, port_of
from tests.unit.service.http.served import GatedModel, Served, counted

LIMITS = ConnectionLimits(headers=4_096, headers_s=30, connections=50)
TEXT = "John Smith lives in Berlin."


class Watched(Direct):
    """Counts what began."""

    def __init__(self, served: Served) -> None:
        super().__init__(served.application.handler_of)
        self.begun = 0

    def begin(self, *request: Any) -> Exchange | None:
        exchange = super().begin(*request)
        if exchange is not None:
            self.begun += 1
        return exchange


class Bench(NamedTuple):
    """One application, reached on the direct path and by ASGI alone."""

    direct: Watched
    server: uvicorn.Server
    port: int
    asgi_port: int

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def both(self, path: str, body: bytes, **headers: str) -> tuple[httpx.Response, httpx.Response]:
        """The answers of the direct path and of ASGI."""
        told = {"content-type": "application/json", **headers}
        first, second = (
            httpx.post(f"http://127.0.0.1:{port}{path}", content=body, headers=told, timeout=10)
            for port in (self.port, self.asgi_port)
        )
        return first, second


def bench_of(served: Served) -> Iterator[Bench]:
    direct = Watched(served)
    taking = type("Taking", (DirectConnection,), {"limits": LIMITS, "direct": direct})
    plain = type("Plain", (Connection,), {"limits": LIMITS})
    with listening(served, taking) as server, listening(served, plain) as asgi:
        yield Bench(direct, server, port_of(server), port_of(asgi))


@pytest.fixture(scope="module")
def bench(served: Served) -> Iterator[Bench]:
    yield from bench_of(served)


class Held(NamedTuple):
    """A bench whose model answers when its gate is opened."""

    bench: Bench
    served: Served
    model: GatedModel


@pytest.fixture
def held(gated: tuple[Served, GatedModel]) -> Iterator[Held]:
    served, model = gated
    for bench in bench_of(served):
        yield Held(bench, served, model)


def request_of(text: str, path: bytes = b"/ner", more: bytes = b"") -> bytes:
    body = msgspec.json.encode({"inputs": text})
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n%b" % (path, more)
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def read_answers(client: socket.socket, count: int) -> list[tuple[int, Any]]:
    """Status and JSON of so many answers."""
    read, answers = b"", list[tuple[int, Any]]()
    while len(answers) < count:
        head, end, rest = read.partition(b"\r\n\r\n")
        size = re.search(rb"content-length: (\d+)", head)
        if end and size and len(rest) >= int(size[1]):
            answers.append((int(head[9:12]), msgspec.json.decode(rest[: int(size[1])])))
            read = rest[int(size[1]) :]
            continue
        part = client.recv(65_536)
        assert part, f"closed after {answers}"
        read += part
    return answers


@pytest.mark.parametrize("path", ["/ner", "/sentiment", "/detect"])
def test_a_plain_request_is_answered_directly_and_alike(bench: Bench, path: str) -> None:
    before = bench.direct.begun
    direct, asgi = bench.both(path, msgspec.json.encode({"inputs": TEXT}))
    assert bench.direct.begun == before + 1
    assert (direct.status_code, direct.content) == (200, asgi.content)
    assert set(direct.headers) - {"x-request-id"} == set(asgi.headers)
    assert direct.headers["content-type"] == asgi.headers["content-type"]
    assert direct.headers["x-batch-rows"] == "1"


@pytest.mark.parametrize(
    "path, body, headers",
    [
        ("/ner", b'{"inputs": ["a", "b"]}', {}),
        ("/ner", b'{"inputs": ""}', {}),
        ("/ner", b'{"inputs": "a", "parameters": {"convention": "none such"}}', {}),
        ("/ner", b"{", {}),
        ("/ner", b'{"inputs": 1}', {}),
        ("/ner", b'{"inputs": "a"}', {"content-type": "text/plain"}),
        ("/ner", b'{"inputs": "a"}', {"x-request-timeout": "-1"}),
        ("/ner", msgspec.json.encode({"inputs": "a" * 6_000}), {}),
        ("/ner", msgspec.json.encode({"inputs": ["a" * 4_000] * 8}), {}),
        ("/ner?x=1", b'{"inputs": "a"}', {}),
        ("/sentiment", b'{"inputs": " "}', {}),
        ("/translate", b'{"inputs": "a", "parameters": {"src_lang": "en"}}', {}),
        ("/nowhere", b'{"inputs": "a"}', {}),
        ("/models", b"{}", {}),
    ],
)
def test_what_is_not_plain_is_answered_by_asgi(
    bench: Bench, path: str, body: bytes, headers: dict[str, str]
) -> None:
    before = bench.direct.begun
    direct, asgi = bench.both(path, body, **headers)
    assert bench.direct.begun == before
    assert (direct.status_code, direct.content) == (asgi.status_code, asgi.content)


def test_a_request_id_comes_back(bench: Bench) -> None:
    answer = httpx.post(
        f"http://127.0.0.1:{bench.port}/ner",
        json={"inputs": TEXT},
        headers={"x-request-id": "mine"},
    )
    assert answer.headers["x-request-id"] == "mine"


def test_a_connection_is_kept_and_its_requests_are_counted(bench: Bench) -> None:
    labels = '{model_version="1.0.0",status="200",task="ner"}'
    before = counted(f"sluice_requests_total{labels}")
    with httpx.Client(base_url=f"http://127.0.0.1:{bench.port}") as client:
        for turn in range(6):
            body = {"inputs": TEXT if turn % 2 else [TEXT]}
            assert client.post("/ner", json=body).status_code == 200
    assert counted(f"sluice_requests_total{labels}") == before + 6
    assert counted("sluice_requests_in_progress") == 0


@pytest.mark.parametrize("cut", [1, 30, 90, -1])
@pytest.mark.parametrize("pause_s", [0.01, 0.2])
def test_a_request_in_two_parts_is_answered(bench: Bench, cut: int, pause_s: float) -> None:
    request = request_of(TEXT)
    with bench.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(request[:cut])
        time.sleep(pause_s)
        client.sendall(request[cut:] + request)
        assert [status for status, _ in read_answers(client, 2)] == [200, 200]


def test_half_a_body_whose_sender_goes_leaves_nothing(bench: Bench) -> None:
    with bench.connect() as client:
        client.sendall(request_of(TEXT)[:-3])
        time.sleep(0.02)
    eventually(lambda: not bench.server.server_state.connections)
    assert counted("sluice_requests_in_progress") == 0


def test_pipelined_requests_of_both_kinds_are_answered_in_order(bench: Bench) -> None:
    get = b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
    plain, wrong = request_of(TEXT), request_of(TEXT, b"/models")
    with bench.connect() as client:
        client.sendall(plain + get + plain + plain + wrong + plain)
        answers = read_answers(client, 6)
    assert [status for status, _ in answers] == [200, 404, 200, 200, 405, 200]


def test_what_comes_before_the_answer_is_answered_after_it(held: Held) -> None:
    with held.bench.connect() as client:
        client.sendall(request_of("a"))
        assert held.model.entered.wait(5)
        client.sendall(b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n" + request_of("b"))
        time.sleep(0.1)
        held.model.gate.set()
        assert [status for status, _ in read_answers(client, 3)] == [200, 404, 200]


def test_a_flood_before_the_answer_is_not_kept_in_memory(held: Held) -> None:
    with held.bench.connect() as client:
        client.sendall(request_of("a"))
        assert held.model.entered.wait(5)
        client.settimeout(1)
        with pytest.raises(TimeoutError):
            client.sendall(request_of("b") * 1_000_000)
        [connection] = held.bench.server.server_state.connections
        assert len(vars(connection)["_early"]) < 1 << 20
        held.model.gate.set()


def test_a_caller_who_hangs_up_takes_the_row_along(held: Held) -> None:
    before = counted("sluice_cancelled_rows_total")
    with held.bench.connect() as first:
        first.sendall(request_of("a"))
        assert held.model.entered.wait(5)
        with held.bench.connect() as second:
            second.sendall(request_of("b"))
            eventually(lambda: len(held.served.lanes[0].queue) == 1)
        eventually(lambda: len(held.served.lanes[0].queue) == 0)
        eventually(lambda: counted("sluice_cancelled_rows_total") == before + 1)
        held.model.gate.set()
        assert read_answers(first, 1)[0][0] == 200
    assert counted("sluice_requests_in_progress") == 0


@pytest.mark.parametrize("behind", [False, True], ids=["in the session", "in the queue"])
def test_an_answer_later_than_its_deadline_is_504(held: Held, behind: bool) -> None:
    with held.bench.connect() as first, held.bench.connect() as second:
        if behind:
            first.sendall(request_of("a"))
            assert held.model.entered.wait(5)
        second.sendall(request_of("b", more=b"X-Request-Timeout: 0.1\r\n"))
        [(status, problem)] = read_answers(second, 1)
    assert (status, "0.1 s" in problem["detail"]) == (504, True)


def test_a_failing_session_is_500_and_the_connection_goes_on(held: Held) -> None:
    held.model.fails = True
    held.model.gate.set()
    with held.bench.connect() as client:
        client.sendall(request_of("a"))
        [(status, problem)] = read_answers(client, 1)
        assert (status, "secret" in str(problem)) == (500, False)
        held.model.fails = False
        client.sendall(request_of("b"))
        assert read_answers(client, 1)[0][0] == 200


def test_a_full_queue_is_refused(held: Held) -> None:
    with held.bench.connect() as first, held.bench.connect() as second:
        first.sendall(request_of("a"))
        assert held.model.entered.wait(5)
        second.sendall(request_of("b " * 19))
        eventually(lambda: held.served.lanes[0].queue.tokens == 19)
        with held.bench.connect() as third:
            third.sendall(request_of("c c"))
            assert read_answers(third, 1)[0][0] == 429
        held.model.gate.set()
        assert read_answers(second, 1)[0][0] == 200


def test_draining_waits_for_what_was_begun(held: Held) -> None:
    with held.bench.connect() as client:
        client.sendall(request_of("a"))
        assert held.model.entered.wait(5)
        drained = held.served.begin(held.bench.direct.drain(10))
        time.sleep(0.05)
        held.model.gate.set()
        assert drained() is True
        assert read_answers(client, 1)[0][0] == 200


def test_what_outlasts_the_drain_is_told_so(held: Held) -> None:
    with held.bench.connect() as client:
        client.sendall(request_of("a"))
        assert held.model.entered.wait(5)
        assert held.served.run(held.bench.direct.drain(0.1)) is False
        assert read_answers(client, 1)[0][0] == 503


def test_a_server_that_closes_answers_first(held: Held) -> None:
    with held.bench.connect() as client:
        client.sendall(request_of("a"))
        assert held.model.entered.wait(5)
        [connection] = held.bench.server.server_state.connections
        held.served.loop.call_soon_threadsafe(connection.shutdown)
        asyncio.run(asyncio.sleep(0.05))
        held.model.gate.set()
        assert read_answers(client, 1)[0][0] == 200
        assert client.recv(1) == b""


def test_an_answer_leaves_nothing_for_the_collector(bench: Bench) -> None:
    """Cycles would be found by the thousand, and stop all requests for ten milliseconds."""
    request = request_of(TEXT)
    with bench.connect() as client:
        gc.collect()
        before = exchanges()
        gc.disable()
        try:
            for _ in range(50):
                client.sendall(request)
                read_answers(client, 1)
            eventually(lambda: exchanges() <= before)
        finally:
            gc.enable()


def exchanges() -> int:
    """How many there are, whether or not anybody can reach them."""
    return sum(type(each) is Exchange for each in gc.get_objects())
