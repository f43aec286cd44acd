"""A name for each request: `X-Request-ID`, the caller's own or a new one, in answer and logs."""

import random
import re
from contextvars import ContextVar

from service.http.messages import App, Message, Receive, Scope, Send, header_of

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request at hand; empty outside of one."""

_ACCEPTED = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
"""What may go into logs and headers as it is; anything else is replaced."""


def request_id_of(told: str) -> str:
    """The caller's own, if it may stand in headers and logs, else a new one.

    Not a secret: `random` needs no system call, which uuid4 makes for each.
    """
    return told if _ACCEPTED.fullmatch(told) else f"{random.getrandbits(128):032x}"


class RequestIds:
    """Gives each request its id."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(header_of(scope, b"x-request-id"))
        header = (b"x-request-id", request_id.encode())

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), header]}
            await send(message)

        token = REQUEST_ID.set(request_id)
        try:
            await self._app(scope, receive, tell)
        finally:
            REQUEST_ID.reset(token)
