"""An application over the real engine, called in process; and a model that a test can stop."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import httpx

from service.engine.calibration import BatchCost
from service.engine.queue import RowQueue
from service.engine.rows import Row
from service.engine.runner import Runner
from service.engine.scheduler import OneShotLane, OneShotModel, Outputs
from service.http.application import Application
from service.http.limits import Limits
from service.http.metrics import exposition
from service.tasks.base import LaneLimits, Predictor
from service.tasks.ner import NerPredictor
from service.tasks.registry import connect

T = TypeVar("T")
LIMITS = Limits(
    max_chars=5_000, max_inputs=64, max_body_bytes=1 << 20, timeout_s=10, max_timeout_s=60
)
LANE_LIMITS = LaneLimits(
    queue_tokens=50_000, cost=BatchCost(2_048, 2.0), batch_rows=64, admissions=4
)


class Served:
    """An application with its endpoints on an event loop of its own; calls block."""

    def __init__(
        self, predictors: Sequence[Predictor[Any]], lane_limits: LaneLimits = LANE_LIMITS
    ) -> None:
        self.application = Application(LIMITS)
        self.runner: Runner
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.run(self._start(predictors, lane_limits))

    async def _start(self, predictors: Sequence[Predictor[Any]], limits: LaneLimits) -> None:
        self.lanes = lanes = [predictor.lane(limits) for predictor in predictors]
        self.runner = Runner(lanes)
        self.runner.start()
        self.application.serve(connect(predictors, lanes, self.runner))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def begin(self, work: Coroutine[Any, Any, T]) -> Callable[[], T]:
        """Start `work`; what comes back waits for its result."""
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        return lambda: future.result(30)

    async def call(self, method: str, path: str, **told: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, **told)

    def request(self, method: str, path: str, **told: Any) -> httpx.Response:
        return self.run(self.call(method, path, **told))

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.request("POST", path, json=body, headers=headers)

    def close(self) -> None:
        self.run(self.runner.drain(1))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


def counted(sample: str) -> float:
    """The sum of a metric's samples that begin so."""
    lines = exposition().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(sample))


class GatedModel(OneShotModel):
    """Answers only while its gate is open, and fails where it is told to."""

    def __init__(self, model: OneShotModel) -> None:
        self._model = model
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.fails = False

    def run(self, rows: Sequence[Row]) -> list[Outputs]:
        self.entered.set()
        self.gate.wait(20)
        if self.fails:
            raise RuntimeError("secret of the session")
        return self._model.run(rows)


class GatedNer(NerPredictor):
    """The entity predictor with a model that a test can stop."""

    model: GatedModel

    def lane(self, limits: LaneLimits) -> OneShotLane:
        self.model = GatedModel(self._model)
        lane = super().lane(limits)
        return OneShotLane(
            self.model,
            RowQueue(limits.queue_tokens),
            lane.metrics,
            cost=limits.cost or self.measured_cost(),
            rows=limits.batch_rows,
        )
