"""A real server around an application in process, for what only sockets show."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator

import uvicorn

from service.http.connection import Connection, ConnectionLimits
from service.http.direct import Direct
from tests.unit.service.http.served import Served


@contextlib.contextmanager
def listening(served: Served, connection: type[Connection]) -> Iterator[uvicorn.Server]:
    """The server on a free port, until the end of the block."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        served.application, http=connection, lifespan="off", log_config=None, timeout_keep_alive=1
    )
    server = uvicorn.Server(config)
    done = served.begin(server._serve([listener]))
    while not server.started:
        time.sleep(0.01)
    yield server
    server.should_exit = True
    done()


def limited(
    protocol: type[Connection], limits: ConnectionLimits, served: Served
) -> type[Connection]:
    """Connections of this kind within limits of their own."""
    direct = Direct(served.application.handler_of)
    named = {"limits": limits, "direct": direct}
    return type(protocol.__name__, (protocol,), named)


def eventually(true: Callable[[], object]) -> None:
    """Wait until it holds; AssertionError if it does not within ten seconds."""
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, "it did not come true within 10 s"
        time.sleep(0.01)


def port_of(server: uvicorn.Server) -> int:
    return int(server.servers[0].sockets[0].getsockname()[1])
