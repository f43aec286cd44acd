"""Who is let in by the head of a request alone, before its body is read."""

import asyncio
import math
import time

from service.engine.errors import Draining, QueueFull
from service.http.messages import Response, problem_response
from service.http.metrics import TaskMetrics
from service.tasks.endpoint import TaskEndpoint

_LONGEST_TOKEN = 64
"""Bytes of JSON; more only in made-up texts, which are counted exactly a moment later."""
_SAME_S = 0.05
"""Refusals of so short a time are told alike: under overload there are thousands a second."""


def least_tokens(size: int) -> int:
    """Tokens that a body of so many bytes has at least: none is longer."""
    return size // _LONGEST_TOKEN


class Entrance:
    """Turns away from one task whom its queue has no room for.

    Hundreds of heads may be read in one turn of the event loop, and their rows are queued later in
    that turn: until then the tokens of those let in are counted here. A request is expected to be
    as large as usual, since a head tells bytes and no tokens.
    """

    def __init__(self, endpoint: TaskEndpoint, metrics: TaskMetrics, path: str) -> None:
        self._endpoint, self._metrics, self._path = endpoint, metrics, path
        self._coming = self._last = 0
        self._error: Exception = Draining()
        self._response = problem_response(self._error, path)
        self._until = -math.inf

    def turn_away(self, size: int) -> Response | None:
        """The refusal of a body of `size` bytes; None if it may come in."""
        queue = self._endpoint.lane.queue
        tokens = max(least_tokens(size), round(queue.usual))
        if queue.has_room(self._coming + tokens, math.inf):
            self._expect(tokens)
            return None
        return self._refuse(self._coming + tokens)

    def queued(self) -> None:
        """The one let in last has queued its rows already."""
        self._coming -= self._last
        self._last = 0

    def _expect(self, tokens: int) -> None:
        if not self._coming:
            asyncio.get_running_loop().call_soon(self._turn_ends)
        self._coming += tokens
        self._last = tokens

    def _turn_ends(self) -> None:
        self._coming = self._last = 0

    def _refuse(self, tokens: int) -> Response | None:
        now = time.monotonic()
        if now >= self._until:
            try:
                self._endpoint.admit(tokens, math.inf)
            except (QueueFull, Draining) as error:
                self._error, self._until = error, now + _SAME_S
                self._response = problem_response(error, self._path)
            else:
                return None  # the runner has made room in between
        self._metrics.refused(self._error)
        self._metrics.turned_away(self._response.status)
        return self._response
