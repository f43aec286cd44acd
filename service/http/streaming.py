"""A task's answer as server-sent events: pieces of text while they are found, then the whole.

data: {"text": "Wie "}                      any number of these
event: end    data: {…}                     last, the answer as the task's own endpoint gives it
event: error  data: {…}                     instead, the problem that ended the stream
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

import msgspec

from service.engine.errors import Draining
from service.http.errors import ClientGone, WrongShape, kind_of, problem_of
from service.http.inference import TaskHandler
from service.http.messages import Request, Response, Send
from service.http.watch import Watch
from service.tasks.endpoint import Answered, TextRefused

EVENT_STREAM = "text/event-stream"
_HEADERS = [
    (b"content-type", EVENT_STREAM.encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold the events back
]

Item = str | Answered


class EventStream(NamedTuple):
    """A response whose first item is there already; `status` is for whoever logs it."""

    handler: TaskHandler
    request: Request
    timeout_s: float
    first: Item
    items: AsyncGenerator[Item, None]
    status: int = 200

    async def send(self, send: Send, *, with_body: bool = True) -> None:
        """All events. A caller who hangs up ends it, and the rows leave the engine."""
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        left_s = self.timeout_s - (time.monotonic() - self.request.arrived)
        status = 200
        try:
            with Watch(self.request.receive, self.timeout_s, left_s):
                await self._send_items(send)
        except ClientGone:
            status = kind_of(ClientGone()).status
        except asyncio.CancelledError:
            await send(_chunk(self._error(Draining()), last=True))
            raise
        except Exception as error:
            status = kind_of(error).status
            await send(_chunk(self._error(error), last=True))
        finally:
            await self.items.aclose()
            self.handler.metrics.ended(status, time.monotonic() - self.request.arrived)

    async def _send_items(self, send: Send) -> None:
        await send(_chunk(self._event(self.first)))
        async for item in self.items:
            await send(_chunk(self._event(item)))
        await send(_chunk(b"", last=True))

    def _event(self, item: Item) -> bytes:
        if isinstance(item, str):
            return _formatted(None, {"text": item})
        self.handler.metrics.answered(item)
        [[answer, *_]] = item.answers
        return _formatted("end", answer)

    def _error(self, error: Exception) -> bytes:
        self.handler.metrics.refused(error)
        return _formatted("error", problem_of(error, self.request.path))


class StreamHandler:
    """Answers the calls of one task as streams; what is refused at once is a plain problem."""

    def __init__(self, handler: TaskHandler) -> None:
        self._handler = handler

    async def __call__(self, request: Request) -> Response | EventStream:
        return await self._handler.counted(request, self._begin)

    async def _begin(self, request: Request) -> EventStream:
        call = await self._handler.read(request)
        if not isinstance(call.inputs, str):
            raise WrongShape("inputs must be one string, a stream answers one text")
        endpoint = self._handler.endpoint
        items = endpoint.stream(call.inputs, call.parameters, call.left_s)
        try:
            with Watch(request.receive, call.timeout_s, call.left_s):
                first = await anext(items)
        except TextRefused as refused:
            raise refused.cause from None
        return EventStream(self._handler, request, call.timeout_s, first, items)


def _formatted(event: str | None, data: Any) -> bytes:
    name = f"event: {event}\n".encode() if event else b""
    return name + b"data: " + msgspec.json.encode(data) + b"\n\n"


def _chunk(body: bytes, *, last: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": not last}
