"""The operators' port: metrics and administration away from the callers' address."""

import asyncio
import contextlib
from collections.abc import Iterator

import uvicorn

from service.http.messages import App
from service.sockets import bind


class _Server(uvicorn.Server):
    """A server that leaves signals to the one beside it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class OperatorsPort:
    """Serves `app` on an address of its own, from every worker (SO_REUSEPORT, socket(7))."""

    def __init__(self, app: App, host: str, port: int) -> None:
        self._socket = bind(host, port, shared=True)
        config = uvicorn.Config(
            app,
            log_config=None,
            server_header=False,
            lifespan="off",
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Serve from now on; needs a running event loop."""
        self._task = asyncio.create_task(self._server.serve([self._socket]))

    async def stop(self) -> None:
        """Close the port; an answer under way is finished."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
