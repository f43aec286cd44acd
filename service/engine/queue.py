"""Rows waiting for a session, bounded by their tokens."""

import threading
import time
from collections.abc import Callable, Sequence

from service.engine.errors import Draining, QueueFull
from service.engine.rows import Job

_RATE_MEMORY = 0.9
_FIRST_RATE = 5000.0
"""Tokens a second assumed until the first batch has been measured."""


class RowQueue:
    """A first-come list of jobs; the runner's thread takes, the event loop puts.

    The bound counts tokens, not requests: sixty-four reviews are not sixty-four phrases.
    """

    def __init__(self, limit_tokens: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit_tokens
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: list[Job] = []
        self._tokens = 0
        self._rate = _FIRST_RATE
        self._closed = False

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def tokens(self) -> int:
        return self._tokens

    def put(self, jobs: Sequence[Job]) -> None:
        """Queue all of `jobs` or none. QueueFull if they do not fit, Draining once closed.

        An empty queue takes any request, so that the largest allowed one can never be refused
        for ever.
        """
        tokens = sum(job.row.length for job in jobs)
        with self._lock:
            if self._closed:
                raise Draining
            if self._jobs and self._tokens + tokens > self._limit:
                raise QueueFull(
                    queued=self._tokens,
                    tokens=tokens,
                    limit=self._limit,
                    retry_after_s=max(1.0, self._tokens / self._rate),
                )
            self._jobs += jobs
            self._tokens += tokens

    def take(self, choose: Callable[[list[Job]], list[Job]]) -> tuple[list[Job], list[Job]]:
        """Jobs that `choose` picks of the waiting ones, and those whose deadline has passed.

        Abandoned jobs leave in silence: nobody waits for them.
        """
        now = self._clock()
        with self._lock:
            expired = [job for job in self._jobs if job.deadline <= now and not job.abandoned]
            waiting = [job for job in self._jobs if job.deadline > now and not job.abandoned]
            chosen = choose(waiting) if waiting else []
            taken = set(map(id, chosen))
            self._jobs = [job for job in waiting if id(job) not in taken]
            self._tokens = sum(job.row.length for job in self._jobs)
        for job in chosen:
            job.started = now
        return chosen, expired

    def observe(self, tokens: int, seconds: float) -> None:
        """Learn the drain rate, which tells refused callers when to come back."""
        if seconds > 0:
            measured = tokens / seconds
            self._rate = _RATE_MEMORY * self._rate + (1 - _RATE_MEMORY) * measured

    def close(self) -> None:
        """Take no more; what waits is still served."""
        with self._lock:
            self._closed = True
