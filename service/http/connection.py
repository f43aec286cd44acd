"""One connection: how long a head may be, how slowly it may come, how much may wait behind it.

What is refused because the queue is full is refused here, when the head has come: an ASGI call and
the middleware around it cost several times the answer, and under overload that is taken from those
who are served.

uvicorn bounds none of these: a client that sends a header a minute, or one without an end, would
hold memory and a socket for ever (RFC 9110, section 17; RFC 6585 for 431).
"""

import asyncio
import logging
import math
import socket
from http import HTTPStatus
from typing import Any, ClassVar, NamedTuple

from uvicorn.config import HTTP_PROTOCOLS
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.http.errors import (
    HeadersTooLarge,
    HttpError,
    MalformedRequest,
    SlowHeaders,
    TooManyConnections,
)
from service.http.gate import Gate
from service.http.messages import Response, problem_response
from service.http.metrics import refused

_MAX_HEADERS = 100
_MAX_PIPELINED = 50
_LINGER_S = 5.0
"""After an answer before the end of the body, so that the caller can read it before a reset."""
_UNREAD_MS = 20_000
"""An answer that the caller's kernel has not taken for so long ends its connection (tcp(7))."""


class ConnectionLimits(NamedTuple):
    """`headers` in bytes, request line included; `connections` of one worker."""

    headers: int
    headers_s: float
    connections: int


class Connection(HttpToolsProtocol):
    """uvicorn's connection within `limits`."""

    limits: ClassVar[ConnectionLimits]
    gate: ClassVar[Gate | None] = None

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._timer: asyncio.TimerHandle | None = None
        self._linger: asyncio.TimerHandle | None = None
        self._head_by = math.inf
        """When a head must have come, in the loop's time; never while none is awaited."""
        self._in_head = False
        self._head_bytes = 0
        self._fault: HttpError | None = None
        self._turned_away = False
        self._answerable = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._refuse(TooManyConnections(self.limits.connections))
            return
        told: socket.socket = transport.get_extra_info("socket")
        if told.family in (socket.AF_INET, socket.AF_INET6):
            told.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MS)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.headers:
                self._refuse(HeadersTooLarge(self.limits.headers))
                return
        if self._turned_away:
            self._await_body()
        elif self._is_idle():
            self._await_head()

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head, self._head_by = False, math.inf
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.limits.headers or len(self.headers) > _MAX_HEADERS:
            self._fail(HeadersTooLarge(self.limits.headers))
        if len(self.pipeline) >= _MAX_PIPELINED:
            self._fail(MalformedRequest(f"more than {_MAX_PIPELINED} requests wait"))
        self._answerable = self._is_answerable()
        refusal = self._ask_gate()
        if refusal is None:
            self._accept()
        else:
            self._turn_away(refusal)

    def _accept(self) -> None:
        """Begin the ASGI call of the request whose head has come."""
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._turned_away:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop_lingering()
        if self._turned_away:
            self._turned_away = False
        else:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body:
            self._await_body()

    def send_400_response(self, msg: str) -> None:
        """uvicorn's own answer to what its parser refused, as problem details."""
        self._refuse(self._fault or MalformedRequest("this is not HTTP/1.1"))

    def _is_answerable(self) -> bool:
        """Whether an answer to this POST may be written now, and the connection goes on after."""
        if not self._is_idle() or self.flow.write_paused or self.expect_100_continue:
            return False
        parser = self.parser
        return parser.get_method() == b"POST" and bool(parser.should_keep_alive())

    def _is_idle(self) -> bool:
        """Whether no request is being read or answered."""
        return self.cycle is None or self.cycle.response_complete

    def _ask_gate(self) -> Response | None:
        """The gate's refusal, where an answer may be written now and the connection goes on."""
        gate = type(self).gate
        return None if gate is None or not self._answerable else gate(self.url, self.headers)

    def _turn_away(self, refusal: Response) -> None:
        """Answer before the body, which is read and forgotten if it comes soon."""
        self._turned_away = True
        self.transport.write(raw(refusal))

    def _await_head(self) -> None:
        """From now on, if none is awaited yet."""
        if self._head_by == math.inf:
            self._head_by = self.loop.time() + self.limits.headers_s
        if self._timer is None:
            self._timer = self.loop.call_at(self._head_by, self._look)

    def _await_body(self) -> None:
        """The rest of a body that nobody reads any more."""
        if self._linger is None:
            self._linger = self.loop.call_later(_LINGER_S, self.transport.close)

    def _stop_lingering(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None

    def _stop_timers(self) -> None:
        self._stop_lingering()
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        """The one timer of a connection: most heads come in time, so it is set again, not stopped.

        A timer for each request costs as much as half of a refusal.
        """
        self._timer = None
        if self._head_by == math.inf:
            return
        if self._head_by > self.loop.time():
            self._timer = self.loop.call_at(self._head_by, self._look)
        else:
            self._head_is_late()

    def _head_is_late(self) -> None:
        """A head that has begun is told why; where nothing came, nobody asked."""
        if self._in_head:
            self._refuse(SlowHeaders(self.limits.headers_s))
        else:
            self.transport.close()

    def _fail(self, fault: HttpError) -> None:
        """End the parsing; the parser tells of it by way of `send_400_response`."""
        self._fault = fault
        raise fault

    def _refuse(self, error: HttpError) -> None:
        refused(error)
        self._stop_timers()
        if not self.transport.is_closing():
            self.transport.write(raw(problem_response(error, "/"), b"connection: close\r\n"))
            self.transport.close()


def limit_connections(
    limits: ConnectionLimits, gate: Gate | None, protocol: type[Connection] = Connection
) -> None:
    """Have the servers of this process take connections within `limits`, past `gate`."""
    Connection.limits, Connection.gate = limits, gate
    HTTP_PROTOCOLS["auto"] = f"{protocol.__module__}:{protocol.__name__}"
    # What the parser refuses is counted; a line for each would let callers fill a disk.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


def raw(response: Response, more: bytes = b"") -> bytes:
    """The response as it is sent; `more` are lines of its head."""
    head = [
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        f"content-type: {response.media_type}",
        f"content-length: {len(response.body)}",
        *(f"{name}: {value}" for name, value in response.headers),
    ]
    return "\r\n".join([*head, ""]).encode("latin-1") + more + b"\r\n" + response.body
