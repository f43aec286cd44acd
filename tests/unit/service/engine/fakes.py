"""Stand-ins for the engine's surroundings: a clock, jobs, and graphs written in numpy."""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from service.bundle import DecodingSpec, GraphSpec, TensorSpec
from service.engine.metrics import DecoderMetrics, LaneMetrics
from service.engine.rows import DecodeRow, Job, Result, Row, Settlement, Ticket, settle
from service.engine.session import Session, Tensor

LANE_METRICS = LaneMetrics("fake", "0.0.0")
DECODER_METRICS = DecoderMetrics("fake", "0.0.0")

_STOPPED_LOOP = asyncio.new_event_loop()
_STOPPED_LOOP.close()


class Clock:
    """Time that passes only when a test says so; stands in for the module `time`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    monotonic = __call__


def row(length: int, mark: int = 0) -> Row:
    """A row whose every id is `mark`."""
    return Row({"ids": np.full(length, mark, np.int64)}, length)


def job(of: Row, *, arrived: float = 1000.0, timeout_s: float = math.inf) -> Job:
    """A request of one row on no running loop: its future keeps what it was given."""
    return jobs([of], arrived=arrived, timeout_s=timeout_s)[0]


def jobs(
    rows: Sequence[Row],
    *,
    arrived: float = 1000.0,
    timeout_s: float = math.inf,
    metrics: LaneMetrics = LANE_METRICS,
) -> list[Job]:
    """A request of some rows on no running loop."""
    ticket = Ticket(asyncio.Future(loop=_STOPPED_LOOP), len(rows), metrics)
    metrics.accepted(len(rows))
    return [Job(of, ticket, index, arrived, timeout_s) for index, of in enumerate(rows)]


def result_of(job: Job) -> Result:
    """The result of a request of one row."""
    (result,) = job.ticket.future.result()
    return result


def fault_of(job: Job) -> BaseException | None:
    return job.ticket.future.exception()


class Counts(LaneMetrics):
    """Counts the rows of each outcome."""

    def __init__(self) -> None:
        super().__init__("fake", "0.0.0")
        self.rows: Counter[str] = Counter()
        for outcome in ("accepted", "answered", "expired", "failed", "cancelled"):
            setattr(self, outcome, partial(self._count, outcome))

    def _count(self, outcome: str, rows: float) -> None:
        self.rows[outcome] += int(rows)

    @property
    def unaccounted(self) -> int:
        """Accepted rows of which nothing has been told yet."""
        return 2 * self.rows["accepted"] - self.rows.total()


class Deliveries:
    """Settles at once, and remembers how often each job was settled."""

    def __init__(self) -> None:
        self.settled: list[Job] = []

    def __call__(self, settlements: Iterable[Settlement]) -> None:
        for settlement in settlements:
            job = settlement[0]
            self.settled.append(job)
            settle([settlement])
            future = job.ticket.future
            if future.done() and not future.cancelled():
                future.exception()  # seen, so that asyncio does not complain of it


class FakeSession(Session):
    """A session whose graph is a Python function."""

    def __init__(self, graph: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]) -> None:
        self.graph = graph
        self.device = "cpu"
        self.output_names = ["weights"]

    def run(
        self, inputs: Mapping[str, Tensor], outputs: Sequence[str] | None = None
    ) -> dict[str, Tensor]:
        found = self.graph(inputs)
        return found if outputs is None else {name: found[name] for name in outputs}


def _tensor(name: str, *axes: str) -> TensorSpec:
    return TensorSpec(name=name, dtype="int64", axes=axes)


ONE_SHOT = GraphSpec(
    inputs=(_tensor("ids", "rows", "time"), _tensor("lengths", "rows")),
    outputs=(_tensor("doubled", "rows", "time"), _tensor("total", "rows")),
    files={},
)


class OneShotGraph:
    """Doubles ids and sums them; keeps the lengths and marks of each batch that it got."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[int, int]]] = []
        self.poison: set[int] = set()

    def __call__(self, feeds: Mapping[str, Tensor]) -> dict[str, Tensor]:
        ids, lengths = feeds["ids"], feeds["lengths"]
        assert ids.shape == (len(lengths), max(lengths))
        marks = ids[:, 0].tolist()
        self.batches.append(list(zip(lengths.tolist(), marks, strict=True)))
        if self.poison.intersection(marks):
            raise ValueError("poison")
        return {"doubled": ids * 2, "total": ids.sum(axis=1)}


SPEC = DecodingSpec(bos_id=1, eos_id=2, state_size=6, memory_size=5, beams=1, length_penalty=0.8)
SYMBOLS = 24
"""More than two continuations for each of eight beams."""

Floats = NDArray[np.float32]


class TinyTranslator:
    """A recurrent encoder and decoder with random weights, computed row by row.

    Row by row, so that its numbers cannot depend on batch-mates: what depends on them then is the
    code under test. Behind each row's end the encoder writes NaN, which would spread.
    """

    def __init__(self, seed: int = 7, *, end: float = 1.0) -> None:
        random = np.random.default_rng(seed)

        def weights(*shape: int) -> Floats:
            return random.normal(0, 0.9, shape).astype(np.float32)

        size, width = SPEC.state_size, SPEC.memory_size
        self._source, self._target = weights(SYMBOLS, width), weights(SYMBOLS, size)
        self._recur, self._read = weights(size, size), weights(width, size)
        self._look, self._out = weights(size, width), 2 * weights(size, SYMBOLS)
        self._bias = np.zeros(SYMBOLS, np.float32)
        self._bias[SPEC.eos_id] = end
        self._bias[[0, SPEC.bos_id]] = -30.0
        self.encoder, self.decoder = FakeSession(self._encode), FakeSession(self._decode)
        self._known: dict[tuple[int, bytes, bytes], tuple[Floats, Floats]] = {}
        self.admitted: list[int] = []
        self.steps: list[int] = []
        self.tells_weights = False
        self.step_fault: Exception | None = None
        self.poison: int | None = None

    def encode_one(self, ids: Tensor) -> tuple[Floats, Floats]:
        """Memory (time, width) and state (size,) of one source."""
        memory = np.tanh(self._source[ids] + np.linspace(0, 1, len(ids))[:, None])
        state = np.tanh(_product(memory.mean(axis=0), self._read))
        return memory.astype(np.float32), state.astype(np.float32)

    def attention(self, state: Floats, memory: Floats) -> Floats:
        """Weights (time,) of a state over the memory (time, width)."""
        weights = np.exp(_product(_product(state, self._look), memory.T))
        normal: Floats = (weights / weights.sum()).astype(np.float32)
        return normal

    def step_one(self, previous: int, state: Floats, memory: Floats) -> tuple[Floats, Floats]:
        """Log-probabilities (symbols,) and the next state (size,) of one hypothesis."""
        key = (previous, state.tobytes(), memory.tobytes())
        if key not in self._known:
            self._known[key] = self._moved(previous, state, memory)
        return self._known[key]

    def _moved(self, previous: int, state: Floats, memory: Floats) -> tuple[Floats, Floats]:
        context = _product(self.attention(state, memory), memory)
        heard = _product(state, self._recur) + _product(context, self._read)
        following = np.tanh(heard + self._target[previous])
        logits = _product(following, self._out) + self._bias
        top = logits.max()
        scores = logits - top - np.log(np.exp(logits - top).sum())
        return scores.astype(np.float32), following.astype(np.float32)

    def _encode(self, feeds: Mapping[str, Tensor]) -> dict[str, Tensor]:
        ids, lengths = feeds["ids"], feeds["lengths"]
        assert ids.dtype == np.int64
        assert lengths.dtype == np.int32
        assert ids.shape == (len(lengths), max(lengths))
        self.admitted.append(len(ids))
        if self.poison is not None and (ids[:, 0] == self.poison).any():
            raise ValueError("poison")
        memory = np.full((*ids.shape, SPEC.memory_size), np.nan, np.float32)
        state = np.zeros((len(ids), SPEC.state_size), np.float32)
        for i, length in enumerate(lengths):
            memory[i, :length], state[i] = self.encode_one(ids[i, :length])
        return {"memory": memory, "state": state}

    def _weights(self, state: Floats, memory: Floats, lengths: Tensor) -> Floats:
        weights = np.zeros(memory.shape[:2], np.float32)
        for i, length in enumerate(lengths):
            weights[i, :length] = self.attention(state[i], memory[i, :length])
        return weights

    def _decode(self, feeds: Mapping[str, Tensor]) -> dict[str, Tensor]:
        previous, state, memory = feeds["previous"], feeds["state"], feeds["memory"]
        lengths, (k,) = feeds["memory_lengths"], feeds["k"].tolist()
        assert len(previous) == len(state) == len(memory) == len(lengths) > 0
        assert memory.shape[1] >= max(lengths)
        self.steps.append(len(previous))
        if self.step_fault is not None:
            raise self.step_fault
        moved = [
            self.step_one(int(previous[i]), state[i], memory[i, : lengths[i]])
            for i in range(len(previous))
        ]
        scores = np.stack([found for found, _ in moved])
        tokens = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return {
            "weights": self._weights(state, memory, lengths) if self.tells_weights else lengths,
            "scores": np.take_along_axis(scores, tokens, axis=1),
            "tokens": tokens,
            "next_state": np.stack([following for _, following in moved]),
        }


def source(
    ids: Sequence[int],
    *,
    beams: int = 1,
    hypotheses: int = 1,
    max_steps: int = 12,
    alignments: bool = False,
) -> DecodeRow:
    """A source sequence to decode."""
    inputs: dict[str, Tensor] = {"ids": np.array(ids, np.int64)}
    return DecodeRow(
        inputs,
        len(ids),
        beams=beams,
        hypotheses=hypotheses,
        max_steps=max_steps,
        alignments=alignments,
    )


def _product(vector: Floats, matrix: Floats) -> Floats:
    """vector @ matrix without BLAS, whose vector units raise spurious warnings on some CPUs."""
    product: Floats = (vector[:, None] * matrix).sum(axis=0)
    return product
