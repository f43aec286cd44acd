"""How often a key may call: a token bucket for each, shared by the workers of a service."""

import fcntl
import hashlib
import mmap
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

from service.http.auth import KEY_NAME
from service.http.errors import RateExceeded
from service.http.messages import App, Receive, Scope, Send, refuse

_NUMBER = struct.Struct("=d")


class TokenBuckets:
    """Token buckets, one for each name, in files that all workers of the machine share.

    A bucket is one number, the time at which it would be full again (the virtual scheduling form
    of the generic cell rate algorithm, ITU-T I.371): a request adds 1/rate, and is refused where
    that passes now + burst/rate. Times are CLOCK_MONOTONIC, which is one for all processes.
    """

    def __init__(
        self, folder: Path, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`rate` in requests a second, `burst` in requests at once."""
        self._folder = folder
        self._cost_s, self._depth_s = 1 / rate, burst / rate
        self._clock = clock
        self._files: dict[str, tuple[int, mmap.mmap]] = {}

    def take(self, name: str) -> float:
        """Take one token of `name`; the seconds to wait where there is none, else 0."""
        file, number = self._files.get(name) or self._open(name)
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            now = self._clock()
            full_at: float = max(now, *_NUMBER.unpack_from(number)) + self._cost_s
            wait_s = full_at - self._depth_s - now
            if wait_s > 0:
                return wait_s
            _NUMBER.pack_into(number, 0, full_at)
            return 0.0
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def _open(self, name: str) -> tuple[int, mmap.mmap]:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / hashlib.sha256(name.encode()).hexdigest()
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(file, _NUMBER.size)
        self._files[name] = file, mmap.mmap(file, _NUMBER.size)
        return self._files[name]


class RateLimit:
    """Refuses a key that calls more often than it may; callers without a name pass."""

    def __init__(self, app: App, buckets: TokenBuckets) -> None:
        self._app, self._buckets = app, buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope.get(KEY_NAME)
        wait_s = self._buckets.take(name) if name else 0.0
        if wait_s > 0:
            await refuse(RateExceeded(wait_s), scope, send)
        else:
            await self._app(scope, receive, send)
