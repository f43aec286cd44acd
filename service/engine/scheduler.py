"""Batches of one-shot models (entities, sentiment): work-conserving and length-aware."""

import time
from collections.abc import Sequence

import numpy as np

from service.bundle import GraphSpec
from service.engine.calibration import BatchCost
from service.engine.metrics import LaneMetrics
from service.engine.queue import RowQueue
from service.engine.rows import Deliver, Job, Result, Row, Settlement
from service.engine.runner import expire
from service.engine.session import Session, Tensor, pad_rows, require_rows

Outputs = dict[str, Tensor]

_FEW = 2
"""A batch is small while its steps cost more than half of what its rows do."""


class OneShotModel:
    """A graph that answers a padded batch in one run."""

    def __init__(self, session: Session, graph: GraphSpec) -> None:
        self._session = session
        self._inputs = [spec.name for spec in graph.inputs if spec.name != "lengths"]
        self._timed = {spec.name for spec in graph.outputs if "time" in spec.axes}

    def run(self, rows: Sequence[Row]) -> list[Outputs]:
        """Outputs of each row, without its padding. BatchMismatch if the graph lost a row."""
        feeds: Outputs = {
            name: pad_rows([row.inputs[name] for row in rows]) for name in self._inputs
        }
        feeds["lengths"] = np.array([row.length for row in rows], np.int32)
        outputs = self._session.run(feeds)
        require_rows(len(rows), outputs)
        return [self._of_row(outputs, i, row.length) for i, row in enumerate(rows)]

    def _of_row(self, outputs: Outputs, index: int, length: int) -> Outputs:
        return {
            name: array[index, :length] if name in self._timed else array[index]
            for name, array in outputs.items()
        }


class OneShotLane:
    """The queue of a one-shot model, served a batch a step."""

    def __init__(
        self,
        model: OneShotModel,
        queue: RowQueue,
        metrics: LaneMetrics,
        *,
        cost: BatchCost,
        rows: int,
    ) -> None:
        self.queue, self.metrics = queue, metrics
        self._model = model
        self._cost, self._rows = cost, rows
        self._running = False

    @property
    def busy(self) -> bool:
        return self._running or len(self.queue) > 0

    def step(self, deliver: Deliver) -> None:
        self._running = True
        try:
            self._turn(deliver)
        finally:
            self._running = False
        self.metrics.depth(len(self.queue), self.queue.tokens)

    def _turn(self, deliver: Deliver) -> None:
        jobs, expired = self.queue.take(self._choose)
        if expired:
            deliver(expire(expired))
        if jobs:
            deliver(self._answer(jobs))

    def _choose(self, waiting: list[Job]) -> list[Job]:
        """The oldest row, and as many of its neighbours in length as make a token cheapest.

        A batch takes longest x (step_rows + rows): each neighbour shares the steps, and one that is
        longer pads all others, which onnxruntime computes like real tokens. The oldest is always
        in, so that everyone's wait is bounded; rows x longest stays within the budget. What is left
        behind will need steps of its own, so none that fits is left by a small batch.
        """
        budget, step_rows = self._cost
        length = waiting[0].row.length
        chosen, longest, real = waiting[:1], length, length
        least, best = step_rows + 1.0, 1
        for job in sorted(waiting[1:], key=lambda job: abs(job.row.length - length)):
            longest = max(longest, job.row.length)
            if len(chosen) == self._rows or longest * (len(chosen) + 1) > budget:
                break
            chosen.append(job)
            real += job.row.length
            a_token = longest * (step_rows + len(chosen)) / real
            if a_token <= least or len(chosen) <= _FEW * step_rows:
                least, best = a_token, len(chosen)
        return chosen[:best]

    def _answer(self, jobs: list[Job]) -> list[Settlement]:
        """One run for all; if it fails, one for each, so that a bad row falls alone."""
        began = time.monotonic()
        try:
            outputs: list[Outputs | BaseException] = [*self._model.run([job.row for job in jobs])]
        except Exception as error:
            outputs = [error] if len(jobs) == 1 else [self._alone(job) for job in jobs]
        seconds = time.monotonic() - began
        lengths = [job.row.length for job in jobs]
        self.metrics.batch(lengths, seconds)
        return [
            (
                job,
                output
                if isinstance(output, BaseException)
                else Result(output, job.started - job.arrived, seconds, len(jobs)),
            )
            for job, output in zip(jobs, outputs, strict=True)
        ]

    def _alone(self, job: Job) -> Outputs | BaseException:
        try:
            return self._model.run([job.row])[0]
        except Exception as error:
            return error
