"""Rows waiting for a session, bounded by their tokens and fair between requests."""

import math
import threading
import time
from bisect import insort
from collections.abc import Callable, Sequence

from service.engine.errors import Draining, QueueFull
from service.engine.rows import Job, Ticket

_FIRST_RATE = 5000.0
"""Tokens a second assumed until the queue has been seen to drain."""
_MEMORY_S = 2.0
"""How far back the measured drain rate looks."""
_NEWEST = 0.05
"""The share of the newest request in what is usual."""
_WINDOW = 128
"""Rows that a choice looks at, however many wait. Neighbours in length are nearer among twice as
many, which saves 4 % of a tagger's time, but the unlucky then wait a sixth longer."""


class RowQueue:
    """Jobs in the order of their turns; the runner's thread takes, the event loop puts.

    The bound counts tokens, not requests: sixty-four reviews are not sixty-four phrases. And a
    request of many rows has their turns one after another, as if they had arrived at the rate at
    which the queue drains: a large request cannot starve the small ones that come behind it, nor
    can these starve it, since they come ever later. So these later rows are not in the way of
    anybody who comes, and `limit_s` bounds the wait behind all others: tokens alone would let a
    slow machine promise what its callers do not wait for.
    """

    def __init__(
        self,
        limit_tokens: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        limit_s: float = math.inf,
    ) -> None:
        self._limit, self._limit_s = limit_tokens, limit_s
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: list[Job] = []
        self._tokens = 0
        self._later = 0
        self._earliest = math.inf
        self._rate = _FIRST_RATE
        self.usual = 0.0
        """Tokens of a request, by those of late."""
        self._drained, self._since = 0, math.nan
        self._closed = False

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def tokens(self) -> int:
        return self._tokens

    def has_room(self, tokens: int, timeout_s: float) -> bool:
        """Whether so many tokens fit and can be served in time; never once closed.

        Cheap, and without a lock: to be asked before any work is done for a request. An empty queue
        takes any request, so that the largest allowed one can never be refused for ever.
        """
        if self._closed or not self._jobs:
            return not self._closed
        ahead = self._tokens - self._later
        return (
            self._tokens + tokens <= self._limit
            and self._tokens <= timeout_s * self._rate
            and ahead <= self._limit_s * self._rate
        )

    def admit(self, tokens: int, timeout_s: float) -> None:
        """QueueFull if there is no room, Draining once closed."""
        if self._closed:
            raise Draining
        if not self.has_room(tokens, timeout_s):
            raise QueueFull(
                queued=self._tokens,
                tokens=tokens,
                limit=int(min(self._limit, self._rate * min(timeout_s, self._limit_s))),
                retry_after_s=max(1.0, self._tokens / self._rate),
            )

    def put(self, jobs: Sequence[Job]) -> None:
        """Queue all of `jobs` or none. Raises like `admit`."""
        tokens = sum(job.row.length for job in jobs)
        with self._lock:
            self.admit(tokens, jobs[0].timeout_s)
            ahead = 0
            for job in jobs:
                job.turn = job.arrived + ahead / self._rate
                ahead += job.row.length
                insort(self._jobs, job, key=_turn)
            self.usual += _NEWEST * (tokens - self.usual)
            self._tokens += tokens
            self._later += tokens - jobs[0].row.length
            self._earliest = min(self._earliest, jobs[0].deadline)

    def take(self, choose: Callable[[list[Job]], list[Job]]) -> tuple[list[Job], list[Job]]:
        """Jobs that `choose` picks of those whose turn is next, and those past their deadline.

        Abandoned jobs leave in silence: nobody waits for them.
        """
        now = self._clock()
        with self._lock:
            self._measure(now)
            expired = self._expire(now) if now >= self._earliest else []
            window = self._jobs[:_WINDOW]
            waiting = [job for job in window if not job.abandoned]
            chosen = choose(waiting) if waiting else []
            taken = set(map(id, chosen))
            left = [job for job in waiting if id(job) not in taken] if taken else waiting
            self._jobs[: len(window)] = left
            gone = _tokens_of(window) - _tokens_of(left)
            self._tokens -= gone
            self._drained += gone
            if self._later:
                self._later -= _later_of(window) - _later_of(left)
        for job in chosen:
            job.started = now
        return chosen, expired

    def discard(self, ticket: Ticket) -> None:
        """Take the rows of a caller who has gone out at once."""
        with self._lock:
            self._keep([job for job in self._jobs if job.ticket is not ticket])

    def close(self) -> None:
        """Take no more; what waits is still served."""
        with self._lock:
            self._closed = True

    def _expire(self, now: float) -> list[Job]:
        expired = [job for job in self._jobs if job.deadline <= now and not job.abandoned]
        self._keep([job for job in self._jobs if job.deadline > now])
        self._earliest = min((job.deadline for job in self._jobs), default=math.inf)
        return expired

    def _keep(self, jobs: list[Job]) -> None:
        self._jobs = jobs
        self._tokens, self._later = _tokens_of(jobs), _later_of(jobs)

    def _measure(self, now: float) -> None:
        """Learn the drain rate while rows wait: what leaves an empty queue tells of no limit."""
        elapsed = now - self._since
        if elapsed > 0 and self._drained and self._jobs:
            forget = math.exp(-elapsed / _MEMORY_S)
            self._rate = forget * self._rate + (1 - forget) * self._drained / elapsed
        if not elapsed <= 0:
            self._drained, self._since = 0, now
        if not self._jobs:
            self._since = math.nan


def _turn(job: Job) -> float:
    return job.turn


def _later_of(jobs: Sequence[Job]) -> int:
    """Tokens of the rows whose turn was put off for those of other requests."""
    return sum(job.row.length for job in jobs if job.index)


def _tokens_of(jobs: Sequence[Job]) -> int:
    return sum(job.row.length for job in jobs)
