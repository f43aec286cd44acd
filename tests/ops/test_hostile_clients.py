"""Hostile clients beside good ones: the good ones keep nine tenths of their rate."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import Server, running_service
from tests.ops.callers import Callers
from tests.ops.record import record

pytestmark = pytest.mark.ops

_SECONDS = 8.0
_ROUNDS = 3
_KEPT = 0.9
_HEAD = b"POST /ner HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def hardened(bundles_dir: Path) -> Iterator[Server]:
    with running_service(bundles_dir) as server:
        yield server


def connect(server: Server) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def hold(server: Server, count: int, sent: bytes) -> list[socket.socket]:
    """So many connections on which this was sent, without those that were cut off over it."""
    held = []
    for _ in range(count):
        with contextlib.suppress(OSError), contextlib.ExitStack() as undo:
            client = undo.enter_context(connect(server))
            client.sendall(sent)
            undo.pop_all()
            held.append(client)
    return held


def close(held: list[socket.socket]) -> None:
    for client in held:
        client.close()


def slow_loris(server: Server, until: threading.Event) -> None:
    """500 connections that send a header every other second, and come back when cut off."""
    held = hold(server, 500, _HEAD)
    while not until.wait(2):
        cut_off = [client for client in held if not sends(client, b"X-A: b\r\n")]
        close(cut_off)
        held = [client for client in held if client not in cut_off]
        held += hold(server, len(cut_off), _HEAD)
    close(held)


def sends(client: socket.socket, data: bytes) -> bool:
    try:
        client.sendall(data)
    except OSError:
        return False
    return True


def idle(server: Server, until: threading.Event) -> None:
    """1,000 connections that say nothing."""
    while not until.is_set():
        held = hold(server, 1_000, b"")
        until.wait(5)
        close(held)


def header_bombs(server: Server, until: threading.Event) -> None:
    """A megabyte of headers, twenty times a second."""
    while not until.wait(0.05):
        with contextlib.suppress(OSError), connect(server) as client:
            client.sendall(_HEAD + b"X-A: " + b"a" * (1 << 20))


def endless_bodies(server: Server, until: threading.Event) -> None:
    """Ten bodies without an end, as fast as they are taken, a megabyte a second each."""
    held: list[socket.socket] = []
    while not until.wait(0.1):
        held += hold(server, 10 - len(held), _HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for client in list(held):
            client.settimeout(0.01)
            if not sends(client, b"10000\r\n" + b"x" * 0x10000 + b"\r\n"):
                client.close()
                held.remove(client)
    close(held)


def pipelining(server: Server, until: threading.Event) -> None:
    """A thousand requests at once on a connection, ten times a second."""
    while not until.wait(0.1):
        with contextlib.suppress(OSError), connect(server) as client:
            client.sendall(b"GET /models HTTP/1.1\r\nHost: a\r\n\r\n" * 1_000)


def half_closed(server: Server, until: threading.Event) -> None:
    """A hundred half-closed sockets, every half second."""
    while not until.wait(0.5):
        held = hold(server, 100, _HEAD + b"Content-Length: 20\r\n\r\n{")
        for client in held:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_WR)
        until.wait(0.2)
        close(held)


ATTACKS = [slow_loris, idle, header_bombs, endless_bodies, pipelining, half_closed]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_good_clients_keep_their_rate(
    hardened: Server, attack: Callable[[Server, threading.Event], None]
) -> None:
    """The best of some rounds each, in turn: the machine's other work is no attack."""
    alone, beside = 0.0, 0.0
    for _ in range(_ROUNDS):
        alone = max(alone, good_rate(hardened))
        until = threading.Event()
        attacker = threading.Thread(target=attack, args=(hardened, until))
        attacker.start()
        time.sleep(2)
        beside = max(beside, good_rate(hardened))
        until.set()
        attacker.join()
        if beside >= _KEPT * alone:
            break
    record(attack.__name__, alone=round(alone, 1), beside=round(beside, 1))
    assert beside >= _KEPT * alone


def good_rate(server: Server) -> float:
    answers = Callers(server.url, _SECONDS, connections=4).result()
    assert answers.share(200) == 1.0, answers.by_status()
    return answers.rate(1.0, _SECONDS)
