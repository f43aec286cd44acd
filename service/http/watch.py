"""Ends the work of a request whose caller hangs up or whose time is over."""

import asyncio
from types import TracebackType

from service.engine.errors import DeadlineExceeded
from service.http.errors import ClientGone
from service.http.messages import Receive

_SOON_S = 0.2
"""Most requests are answered sooner: for them a watch is one timer, and no task listens."""
GRACE_S = 0.5
"""How much later than a row's deadline a request gives up by itself, should a session hang."""


class Watch:
    """`with Watch(…)` raises ClientGone or DeadlineExceeded in the running task when it is time.

    The task is cancelled where it waits, so that the rows of the request leave the engine.
    """

    def __init__(self, receive: Receive, timeout_s: float, left_s: float) -> None:
        self._receive, self._timeout_s = receive, timeout_s
        self._left_s = left_s + GRACE_S
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._listener: asyncio.Task[None] | None = None
        self._cause: Exception | None = None

    def __enter__(self) -> None:
        self._deadline = self._loop.time() + self._left_s
        self._timer = self._loop.call_later(min(_SOON_S, self._left_s), self._start)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()
        if self._cause is not None and isinstance(error, asyncio.CancelledError):
            assert self._task is not None  # who else was cancelled
            self._task.uncancel()
            raise self._cause from None

    def _start(self) -> None:
        self._listener = self._loop.create_task(self._listen())

    async def _listen(self) -> None:
        try:
            async with asyncio.timeout_at(self._deadline):
                while (await self._receive())["type"] != "http.disconnect":
                    pass
            self._cause = ClientGone()
        except TimeoutError:
            self._cause = DeadlineExceeded(self._timeout_s)
        if self._task is not None:
            self._task.cancel()
