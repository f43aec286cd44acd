"""The direct path: requests of one short text are answered inside the HTTP protocol.

An ASGI call costs a task, a scope, several coroutines and messages: as much time of a core as a
sixth of what the tagger takes for a text in a batch. A short request to a task that answers it with
one row needs none of that: it is read, queued, and answered by a callback when its row is done.

Whatever is not so plain takes the ASGI way, as if nobody had looked at it: lists, streams, long or
late bodies, pipelined requests, and all that is refused, so that refusals are told in one place.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, ClassVar

from service.engine.errors import DeadlineExceeded, Draining
from service.http.connection import Connection, raw
from service.http.errors import ClientGone
from service.http.gate import Headers
from service.http.inference import Begun, TaskHandler
from service.http.messages import Request, Response
from service.http.requestid import request_id_of
from service.http.watch import GRACE_S

_MAX_BODY = 16 * 1024
"""Bytes; what is read and put together in less than a millisecond."""
_MAX_LATE_S = 0.05
"""How long a body is awaited here: many clients send it a moment after the head."""
_MAX_EARLY = 64 * 1024
"""Bytes that may come before the answer to what came first; then reading pauses."""


class Exchange:
    """A request whose row is in the engine."""

    def __init__(
        self,
        handler: TaskHandler,
        request: Request,
        begun: Begun,
        respond: Callable[[Response], None],
        forget: Callable[["Exchange"], None],
    ) -> None:
        """`respond` gets the answer while anybody waits for it; `forget` hears of every end."""
        self._forget = forget
        self.done = begun.work.ticket.future
        self._handler, self._request, self._begun = handler, request, begun
        self._respond: Callable[[Response], None] | None = respond
        self._cause: Exception | None = None
        handler.metrics.began()
        self._timer = self.done.get_loop().call_later(begun.call.left_s + GRACE_S, self._expire)
        begun.work.ticket.on_end = self._settle

    def end(self, cause: Exception) -> None:
        """Answer with `cause` what is not answered yet; its row leaves the engine."""
        if not self.done.done():
            self._cause = cause
            self._handler.endpoint.withdraw(self._begun.work)

    def abandon(self) -> None:
        """The caller has gone."""
        self._respond = None
        self.end(ClientGone())

    def _expire(self) -> None:
        self.end(DeadlineExceeded(self._begun.call.timeout_s))

    def _settle(self) -> None:
        """Give the answer; the ticket calls this when its future is done."""
        self._timer.cancel()
        self._forget(self)
        handler, request = self._handler, self._request
        try:
            if self._cause is not None:
                raise self._cause
            response = handler.finish(request, self._begun)
        except Exception as error:
            response = handler.refuse(error, request)
        handler.metrics.ended(response.status, time.monotonic() - request.arrived)
        if self._respond is not None:
            self._respond(_named(response, request))


class Direct:
    """The exchanges of a worker."""

    def __init__(self, handler_of: Callable[[str], TaskHandler | None]) -> None:
        """`handler_of` a path: None where nothing is served, or nothing new is taken."""
        self._handler_of = handler_of
        self._exchanges: set[Exchange] = set()

    def begin(
        self,
        url: bytes,
        headers: Headers,
        body: bytes,
        arrived: float,
        respond: Callable[[Response], None],
    ) -> Exchange | None:
        """The exchange of a POST; None, and nothing has happened, if it must take the ASGI way.

        `arrived` is when its head had come, in seconds of time.monotonic().
        """
        path = url.decode("latin-1")
        handler = self._handler_of(path)
        if handler is None:
            return None
        request = Request("POST", path, dict(headers), _nothing_comes, arrived)
        try:
            begun = handler.begin(request, body)
        except Exception:
            return None  # the ASGI way meets the same error, and tells it
        if begun is None:
            return None
        exchange = Exchange(handler, request, begun, respond, self._exchanges.discard)
        self._exchanges.add(exchange)
        return exchange

    async def drain(self, timeout_s: float) -> bool:
        """Wait for the answers; those that need longer are told that the service stops."""
        if self._exchanges:
            await asyncio.wait([each.done for each in self._exchanges], timeout=timeout_s)
        late = list(self._exchanges)
        for exchange in late:
            exchange.end(Draining())
        return not late


class DirectConnection(Connection):
    """A connection that takes the direct path where it can."""

    direct: ClassVar[Direct]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._held: list[bytes] | None = None
        self._whole = False
        self._arrived = 0.0
        self._late: asyncio.TimerHandle | None = None
        self._exchange: Exchange | None = None
        self._early = b""
        self._closing = False

    def data_received(self, data: bytes) -> None:
        if self._exchange is not None:
            self._keep(data)
            return
        super().data_received(data)
        if self._held is None or self.transport.is_closing():
            return
        if self._whole:
            self._begin()
        elif self._late is None:
            self._late = self.loop.call_later(_MAX_LATE_S, self._let_go)

    def connection_lost(self, exc: Exception | None) -> None:
        self._await_no_more()
        if self._exchange is not None:
            self._exchange.abandon()
            self._exchange = None
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        if self._held is not None:
            self._let_go()
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        if self._held is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        if self._held is None:
            super().on_message_complete()
        else:
            self._whole = True

    def shutdown(self) -> None:
        """uvicorn's call to close when what runs is answered."""
        self._closing = True
        if self._exchange is None:
            super().shutdown()

    def _accept(self) -> None:
        if self._answerable and self._is_small():
            self._held, self._whole, self._arrived = [], False, time.monotonic()
        else:
            super()._accept()

    def _is_idle(self) -> bool:
        return self._held is None and self._exchange is None and super()._is_idle()

    def _is_small(self) -> bool:
        told = next((value for name, value in self.headers if name == b"content-length"), b"")
        return told.isdigit() and int(told) <= _MAX_BODY

    def _begin(self) -> None:
        self._await_no_more()
        body = b"".join(self._held or ())
        self._exchange = self.direct.begin(
            self.url, self.headers, body, self._arrived, self._answer
        )
        if self._exchange is None:
            self._let_go()
        else:
            self._held = None

    def _let_go(self) -> None:
        """Give to the application what was held back, in the order in which it came."""
        self._await_no_more()
        held, self._held = self._held or [], None
        super()._accept()
        for body in held:
            super().on_body(body)
        if self._whole:
            super().on_message_complete()

    def _await_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _keep(self, data: bytes) -> None:
        """For after the answer: a second request begins there, and answers come in order."""
        self._early += data
        if len(self._early) > _MAX_EARLY:
            self.flow.pause_reading()

    def _answer(self, response: Response) -> None:
        self._exchange = None
        if self.transport.is_closing():
            return
        self.transport.write(raw(response, self._default_lines()))
        if self._closing:
            self.transport.close()
            return
        super(Connection, self).on_response_complete()  # there is no cycle that it could ask
        early, self._early = self._early, b""
        if early:
            self.data_received(early)

    def _default_lines(self) -> bytes:
        """What uvicorn says of itself in every head."""
        told = self.server_state.default_headers
        return b"".join(b"%b: %b\r\n" % (name, value) for name, value in told)


async def _nothing_comes() -> dict[str, Any]:
    """What a request receives whose body has been read: nothing more."""
    return {"type": "http.disconnect"}


def _named(response: Response, request: Request) -> Response:
    name = request_id_of(request.header(b"x-request-id") or "")
    return response.with_header("x-request-id", name)
