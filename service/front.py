"""The lean path: our application in front of BentoML's middleware.

BentoML's middleware (tracing, time-out, context, its Starlette router) costs a task request more
than our own code does. With `SLUICE_LEAN_PATH=true` requests for our paths go straight to our
application, which has its own limits, deadlines and metrics; everything else, the life cycle and
the probes among it, goes through BentoML as ever. BentoML has no setting for this, so `to_asgi` of
the service object is wrapped: this file is all of it.
"""

from collections.abc import Collection
from typing import Any

from service.http.messages import App, Receive, Scope, Send


class Front:
    """Sends requests for `paths` to `ours`, all else to `theirs`."""

    def __init__(self, ours: App, theirs: App, paths: Collection[str]) -> None:
        self._ours, self._theirs, self._paths = ours, theirs, frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self._paths:
            await self._ours(scope, receive, send)
        else:
            await self._theirs(scope, receive, send)


def put_in_front(service: Any, ours: App, paths: Collection[str]) -> None:
    """Wrap `to_asgi` of a BentoML service, so that its server gets our front."""
    service_type = type(service)
    make = service_type.to_asgi

    def to_asgi(self: Any, *arguments: Any, **named: Any) -> App:
        made = make(self, *arguments, **named)
        return Front(ours, made, paths) if self is service else made

    service_type.to_asgi = to_asgi
