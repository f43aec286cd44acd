"""A predictor: the code that turns texts into rows and a bundle's tensors into answers."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar, cast

import msgspec

from service.bundle import Bundle, Precision
from service.engine.calibration import BatchCost, measure_cost
from service.engine.metrics import LaneMetrics
from service.engine.queue import RowQueue
from service.engine.rows import Row
from service.engine.runner import Lane
from service.engine.scheduler import OneShotLane, OneShotModel
from service.engine.session import Device, Session, cuda_is_built_in

SAMPLE = "Rudolph Smith bought 1000 shares of Tesla Inc. in March 2020."


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of a task's request parameters."""


AnyParameters = TypeVar("AnyParameters", bound=Parameters)


def probability(value: float) -> float:
    """A probability as callers read it: float32 has no more than six digits to tell."""
    return min(1.0, round(float(value), 6))


class Prepared(NamedTuple):
    """One text as rows, with what its answer needs of it."""

    rows: list[Row]
    context: Any


class LaneLimits(NamedTuple):
    """How much a lane may queue and take at once; `cost` is that of one-shot batches, None
    to measure it.

    `queue_s` is how long a newcomer may have to wait.
    """

    queue_tokens: int
    cost: BatchCost | None
    batch_rows: int
    admissions: int
    queue_s: float = math.inf

    def queue(self) -> RowQueue:
        """An empty queue within these limits."""
        return RowQueue(self.queue_tokens, limit_s=self.queue_s)


class Predictor(ABC, Generic[AnyParameters]):
    """Text to answers around one verified bundle.

    `predict` runs it alone, offline; a server asks it for a `lane` and puts the rows of
    `prepare` through the engine instead. Both give the same answers.
    """

    parameters: ClassVar[type[Parameters]]
    answers: ClassVar[Any]
    """Type of the answer to one text, for the OpenAPI document."""

    bundle: Bundle
    device: str
    precision: Precision

    @classmethod
    @abstractmethod
    def open(
        cls, bundle: Bundle, device: Device, precision: Precision | None, *, shared_pool: bool
    ) -> Self:
        """Open the bundle's sessions; `precision` None takes the manifest's choice for the CPU."""

    def check_call(self, texts: int, parameters: AnyParameters) -> None:
        """Refuse a call whose many texts would cost too much together, with InputRefused."""

    @abstractmethod
    def prepare(self, text: str, parameters: AnyParameters) -> Prepared:
        """Rows of one text (a pure function). Raises InputRefused before any row is queued."""

    @abstractmethod
    def answer(self, prepared: Prepared, values: Sequence[Any]) -> Any:
        """The answer from the engine's values, one for each row."""

    @abstractmethod
    def run(self, rows: Sequence[Row]) -> list[Any]:
        """Values of rows, without a queue."""

    @abstractmethod
    def lane(self, limits: LaneLimits) -> Lane:
        """A lane that serves this predictor's rows."""

    def measured_cost(self) -> BatchCost | None:
        """What batches cost on this machine; None where lanes are no batches."""
        return None

    def streamed(self, parameters: AnyParameters) -> AnyParameters:
        """The parameters for a stream. InputRefused for those that no stream can honour."""
        raise NotImplementedError

    def spacing(self, prepared: Prepared) -> list[str]:
        """What stands before, between and behind the rows' texts in a stream."""
        raise NotImplementedError

    def text_of(self, prepared: Prepared, row: int, ids: Sequence[int], *, whole: bool) -> str:
        """The text of a row's tokens, all of them if `whole`, for a task that can be streamed."""
        raise NotImplementedError

    def predict(self, texts: Sequence[str], parameters: AnyParameters) -> list[Any]:
        """Answers of many texts, in their order: for evaluation and bulk work."""
        prepared = [self.prepare(text, parameters) for text in texts]
        values = iter(self.run([row for part in prepared for row in part.rows]))
        return [self.answer(part, [next(values) for _ in part.rows]) for part in prepared]

    def warm_up(self, parameters: AnyParameters) -> None:
        """One real answer, so that no caller pays for first allocations."""
        self.predict([SAMPLE], parameters)


class OneShotPredictor(Predictor[AnyParameters]):
    """A predictor whose bundle has one graph, `model`, that answers a batch in one run."""

    def __init__(self, bundle: Bundle, session: Session, precision: Precision) -> None:
        self.bundle, self.device, self.precision = bundle, session.device, precision
        self._model = OneShotModel(session, bundle.manifest.graphs["model"])

    @classmethod
    def open(
        cls, bundle: Bundle, device: Device, precision: Precision | None, *, shared_pool: bool
    ) -> Self:
        chosen = choose_precision(bundle, device, precision)
        session = Session.open(bundle.graph("model", chosen), device, shared_pool=shared_pool)
        return cls(bundle, session, chosen)

    def run(self, rows: Sequence[Row], *, batch_tokens: int = 2048) -> list[Any]:
        """Values of rows, in batches of like length; not their order changes, only the cost."""
        order = sorted(range(len(rows)), key=lambda i: rows[i].length)
        values: dict[int, Any] = {}
        batch: list[int] = []
        for i in order:
            if batch and rows[i].length * (len(batch) + 1) > batch_tokens:
                values.update(self._run_batch(rows, batch))
                batch = []
            batch.append(i)
        if batch:
            values.update(self._run_batch(rows, batch))
        return [values[i] for i in range(len(rows))]

    def lane(self, limits: LaneLimits) -> Lane:
        manifest = self.bundle.manifest
        return OneShotLane(
            self._model,
            limits.queue(),
            LaneMetrics(manifest.task, manifest.version),
            cost=limits.cost or self.measured_cost(),
            rows=limits.batch_rows,
        )

    def measured_cost(self) -> BatchCost:
        """Measured on a sentence of usual length."""
        defaults = cast(AnyParameters, self.parameters())
        [row] = self.prepare(f"{SAMPLE} {SAMPLE}", defaults).rows
        return measure_cost(self._model.run, row)

    def _run_batch(self, rows: Sequence[Row], batch: list[int]) -> dict[int, Any]:
        return dict(zip(batch, self._model.run([rows[i] for i in batch]), strict=True))


def choose_precision(bundle: Bundle, device: Device, wanted: Precision | None) -> Precision:
    """The precision to serve: CUDA has no integer LSTM, so where it may run it is fp32."""
    if wanted is not None:
        return wanted
    may_be_cuda = device == "cuda" or (device == "auto" and cuda_is_built_in())
    return "fp32" if may_be_cuda else bundle.manifest.precision.cpu
