"""What the engine refuses, one type a cause."""


class EngineError(Exception):
    """Base of the engine's typed errors."""


class ProviderUnavailable(EngineError):
    """The device asked for did not come up on an opened session."""

    def __init__(self, wanted: str, found: list[str]) -> None:
        super().__init__(
            f"device {wanted!r} asked for, but the session runs on {', '.join(found)}; "
            "install the `gpu` extra and a CUDA driver, or set SLUICE_DEVICE=cpu"
        )


class QueueFull(EngineError):
    """The queue's token bound is reached; `retry_after_s` comes from the measured drain rate."""

    def __init__(self, *, queued: int, tokens: int, limit: int, retry_after_s: float) -> None:
        super().__init__(
            f"the queue holds {queued} tokens and {tokens} more would pass its limit of {limit}; "
            f"try again in {retry_after_s:.0f} s"
        )
        self.retry_after_s = retry_after_s


class DeadlineExceeded(EngineError):
    """A row's deadline passed before its answer was there."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(
            f"no answer within {timeout_s:g} s; send less, or allow more with X-Request-Timeout"
        )


class Draining(EngineError):
    """The engine is stopping and takes no new rows."""

    def __init__(self) -> None:
        super().__init__("the service is shutting down; ask another replica or try again soon")


class BatchMismatch(EngineError):
    """A session gave back another number of rows than it got."""

    def __init__(self, sent: int, received: int) -> None:
        super().__init__(f"{sent} rows went into the session and {received} came out")


class NoAlignments(EngineError):
    """A row asked for its alignments, and the decoder's graph does not tell them."""

    def __init__(self) -> None:
        super().__init__(
            "this decoder has no output `weights`; export the bundle again, or ask for no alignment"
        )
