"""Prometheus metrics of the engine: base units, bounded labels, never a text."""

from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram

from service.engine.tallies import CounterTally, GaugeTally, HistogramTally

_LABELS = ("task", "model_version")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_POWERS = tuple(2**n for n in range(10))

QUEUE_ROWS = Gauge(
    "sluice_queue_rows", "Rows waiting for a session", _LABELS, multiprocess_mode="livesum"
)
QUEUE_TOKENS = Gauge(
    "sluice_queue_tokens", "Tokens waiting for a session", _LABELS, multiprocess_mode="livesum"
)
BATCH_ROWS = Histogram("sluice_batch_rows", "Rows of a batch", _LABELS, buckets=_POWERS)
BATCH_TOKENS = Histogram(
    "sluice_batch_tokens",
    "Real tokens of a batch",
    _LABELS,
    buckets=tuple(16 * power for power in _POWERS),
)
BATCH_SECONDS = Histogram(
    "sluice_batch_duration_seconds", "One run of a batch or one encoding", _LABELS, buckets=_SECONDS
)
PADDED_TOKENS = Counter("sluice_padded_tokens_total", "Tokens computed, padding included", _LABELS)
REAL_TOKENS = Counter("sluice_real_tokens_total", "Tokens computed, padding left out", _LABELS)
PADDING_RATIO = Gauge(
    "sluice_padding_ratio",
    "Tokens computed over real tokens in the last batch",
    _LABELS,
    multiprocess_mode="livemax",
)
ACCEPTED_ROWS = Counter("sluice_accepted_rows_total", "Rows taken into the queue", _LABELS)
ANSWERED_ROWS = Counter("sluice_answered_rows_total", "Rows of answered requests", _LABELS)
FAILED_ROWS = Counter("sluice_failed_rows_total", "Rows of requests that a fault ended", _LABELS)
CANCELLED_ROWS = Counter(
    "sluice_cancelled_rows_total", "Rows whose client left before the answer", _LABELS
)
EXPIRED_ROWS = Counter("sluice_expired_rows_total", "Rows whose deadline passed", _LABELS)
DECODER_ROWS = Gauge(
    "sluice_decoder_rows_in_flight",
    "Rows in the decoder batch",
    _LABELS,
    multiprocess_mode="livesum",
)
DECODER_STEPS = Counter("sluice_decoder_steps_total", "Decoder steps run", _LABELS)
DECODER_STEP_SECONDS = Histogram(
    "sluice_decoder_step_duration_seconds", "One decoder step", _LABELS, buckets=_SECONDS
)
GENERATED_TOKENS = Counter("sluice_generated_tokens_total", "Tokens of finished answers", _LABELS)


class LaneMetrics:
    """The metrics of one task's lane, counted in memory."""

    def __init__(self, task: str, version: str) -> None:
        labels = (task, version)
        self._queue_rows = GaugeTally(QUEUE_ROWS.labels(*labels))
        self._queue_tokens = GaugeTally(QUEUE_TOKENS.labels(*labels))
        self._batch_rows = HistogramTally(BATCH_ROWS.labels(*labels))
        self._batch_tokens = HistogramTally(BATCH_TOKENS.labels(*labels))
        self._batch_seconds = HistogramTally(BATCH_SECONDS.labels(*labels))
        self._padded = CounterTally(PADDED_TOKENS.labels(*labels))
        self._real = CounterTally(REAL_TOKENS.labels(*labels))
        self._ratio = GaugeTally(PADDING_RATIO.labels(*labels))
        self.accepted = CounterTally(ACCEPTED_ROWS.labels(*labels)).inc
        self.answered = CounterTally(ANSWERED_ROWS.labels(*labels)).inc
        self.failed = CounterTally(FAILED_ROWS.labels(*labels)).inc
        self.cancelled = CounterTally(CANCELLED_ROWS.labels(*labels)).inc
        self.expired = CounterTally(EXPIRED_ROWS.labels(*labels)).inc

    def depth(self, rows: int, tokens: int) -> None:
        self._queue_rows.set(rows)
        self._queue_tokens.set(tokens)

    def batch(self, lengths: Sequence[int], seconds: float) -> None:
        real, padded = sum(lengths), max(lengths) * len(lengths)
        self._batch_rows.observe(len(lengths))
        self._batch_tokens.observe(real)
        self._batch_seconds.observe(seconds)
        self._real.inc(real)
        self._padded.inc(padded)
        self._ratio.set(padded / real)


class DecoderMetrics(LaneMetrics):
    """A lane's metrics, and those of its decoder."""

    def __init__(self, task: str, version: str) -> None:
        super().__init__(task, version)
        self._in_flight = GaugeTally(DECODER_ROWS.labels(task, version))
        self._steps = CounterTally(DECODER_STEPS.labels(task, version))
        self._step_seconds = HistogramTally(DECODER_STEP_SECONDS.labels(task, version))
        self._generated = CounterTally(GENERATED_TOKENS.labels(task, version))

    def in_flight(self, rows: int) -> None:
        self._in_flight.set(rows)

    def step(self, rows: int, seconds: float) -> None:
        self._steps.inc(1)
        self._step_seconds.observe(seconds)

    def generated(self, tokens: int) -> None:
        self._generated.inc(tokens)
