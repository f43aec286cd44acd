"""A request as the routes see it, and the response that they give back."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

import msgspec

from service.http.errors import PROBLEM_JSON, headers_of, problem_of
from service.http.metrics import refused

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON = "application/json"
HTML = "text/html; charset=utf-8"


class Request(NamedTuple):
    """`arrived` is time.monotonic() seconds; header names are lower case."""

    method: str
    path: str
    headers: dict[bytes, bytes]
    receive: Receive
    arrived: float

    def header(self, name: bytes) -> str | None:
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


class Response(NamedTuple):
    """A whole response: all answers are small."""

    body: bytes
    media_type: str = JSON
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    def with_header(self, name: str, value: str) -> "Response":
        """The same with one header more; `_replace` costs five times as much."""
        body, media_type, status, headers = self
        return Response(body, media_type, status, (*headers, (name, value)))

    async def send(self, send: Send, *, with_body: bool = True) -> None:
        headers = [
            (b"content-type", self.media_type.encode("latin-1")),
            (b"content-length", b"%d" % len(self.body)),
        ]
        for name, value in self.headers:
            headers.append((name.encode("latin-1"), value.encode("latin-1")))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body if with_body else b""})


def json_response(value: Any, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    return Response(msgspec.json.encode(value), headers=headers)


def problem_response(error: Exception, path: str) -> Response:
    """An error as problem+json."""
    problem = problem_of(error, path)
    body = msgspec.json.encode(problem)
    return Response(body, PROBLEM_JSON, problem.status, tuple(headers_of(error)))


def header_of(scope: Scope, name: bytes) -> str:
    """A header of an ASGI scope, empty where there is none."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def refuse(error: Exception, scope: Scope, send: Send) -> None:
    """Answer an ASGI call with a problem, before any task was reached."""
    refused(error)
    response = problem_response(error, str(scope["path"]))
    await response.send(send, with_body=scope["method"] != "HEAD")
