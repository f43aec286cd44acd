"""The bundles of a folder, opened and ready to serve; and their exchange for newer ones."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import msgspec

from service.bundle import MANIFEST, Bundle, BundleError, find_bundles, load_bundle
from service.engine.calibration import BatchCost
from service.engine.runner import Runner
from service.engine.session import Session
from service.http.metrics import SHARED_DIR
from service.settings import Settings
from service.tasks.base import LaneLimits, Predictor, choose_precision
from service.tasks.endpoint import TaskEndpoint
from service.tasks.registry import connect, open_predictor, predictor_type

_POLL_S = 0.5
_NOTE = "reloaded"


def load_bundles(settings: Settings, only: Collection[str] = ()) -> list[Bundle]:
    """The newest verified bundle of each task, or of each of the tasks in `only` that is there.

    BundleError if there is none, or a damaged one.
    """
    found = find_bundles(settings.bundles)
    paths = {task: path for task, path in found.items() if not only or task in only}
    if not paths:
        raise BundleError(
            settings.bundles, f"<task>/<version>/{MANIFEST}", "no bundle here; set SLUICE_BUNDLES"
        )
    bundles = [load_bundle(path) for path in paths.values()]
    for task, bundle in zip(paths, bundles, strict=True):
        if bundle.manifest.task != task:
            reason = f"the task is {bundle.manifest.task!r}, the folder says {task!r}"
            raise BundleError(bundle.path, MANIFEST, reason)
    return bundles


def check_choices(settings: Settings) -> None:
    """BundleError or ProviderUnavailable if a bundle could not serve as the settings ask."""
    for bundle in load_bundles(settings):
        predictor_type(bundle)
        precision = choose_precision(bundle, settings.device, settings.forced_precision)
        graphs = [bundle.graph(role, precision) for role in bundle.manifest.graphs]
        if settings.device == "cuda":
            Session.open(graphs[0], "cuda", shared_pool=False)


def open_endpoints(
    settings: Settings, runner: Runner, only: Collection[str] = ()
) -> list[TaskEndpoint]:
    """Open every bundle, answer one text with each, and have the runner serve their lanes."""
    predictors = [_open(bundle, settings) for bundle in load_bundles(settings, only)]
    costs = Costs(settings)
    lanes = [
        predictor.lane(_limits(predictor, settings, costs.of(predictor)))
        for predictor in predictors
    ]
    runner.add(lanes)
    return connect(predictors, lanes, runner)


def _open(bundle: Bundle, settings: Settings) -> Predictor[Any]:
    predictor = open_predictor(bundle, settings.device, settings.forced_precision, shared_pool=True)
    languages = bundle.manifest.languages
    wanted = {"tgt_lang": languages[0][1]} if languages else {}
    predictor.warm_up(predictor.parameters(**wanted))
    return predictor


def _limits(predictor: Predictor[Any], settings: Settings, cost: BatchCost | None) -> LaneLimits:
    decodes = predictor.bundle.manifest.decoding is not None
    return LaneLimits(
        settings.queue_tokens,
        cost,
        settings.decoder_rows if decodes else settings.batch_rows,
        settings.decoder_admissions,
        settings.queue_s,
    )


class Costs:
    """What batches cost, as a worker of this service measured it before; the budget as set.

    Measuring takes a third of a start, and other workers serve meanwhile on the same cores: what
    was found is kept in the folder that the workers share while the service runs.
    """

    def __init__(self, settings: Settings) -> None:
        self._set = settings.batch_tokens
        self._folder = os.environ.get(SHARED_DIR)

    def of(self, predictor: Predictor[Any]) -> BatchCost | None:
        """The cost of the batches of the predictor's lane; None where it has none."""
        found = self._measured(predictor)
        return found._replace(budget=self._set) if found and self._set else found

    def _measured(self, predictor: Predictor[Any]) -> BatchCost | None:
        if self._folder is None:
            return predictor.measured_cost()
        manifest = predictor.bundle.manifest
        file = Path(self._folder) / f"cost-{manifest.task}-{manifest.version}"
        with contextlib.suppress(OSError, msgspec.DecodeError):
            return msgspec.json.decode(file.read_bytes(), type=BatchCost | None)
        found = predictor.measured_cost()
        # A full disk costs the next worker its time, and nothing else.
        with contextlib.suppress(OSError):
            file.write_bytes(msgspec.json.encode(found))
        return found


class Reloading:
    """Exchanges what serves for the newest bundles, here and in the other workers.

    The new bundles are opened beside the old ones, which go on serving; one assignment then sends
    new requests to the new. Requests that run keep what they began with. The other workers learn of
    it from a note in the folder that they share, and do the same.
    """

    def __init__(
        self, settings: Settings, runner: Runner, serve: Callable[[list[TaskEndpoint]], None]
    ) -> None:
        self._settings, self._runner, self._serve = settings, runner, serve
        self._serving: list[TaskEndpoint] = []
        self._note = Path(os.environ.get("BENTOML_HOME", ".")) / _NOTE
        self._seen = self._told()
        self._lock = asyncio.Lock()

    def begin(self, endpoints: list[TaskEndpoint]) -> None:
        """Serve these first, and listen to the other workers."""
        self._exchange(endpoints)
        self._listener = asyncio.get_running_loop().create_task(self._listen())

    async def reload(self) -> None:
        """Raises BundleError or ProviderUnavailable, and then nothing has changed."""
        await self._reload()
        self._note.write_text(str(time.time_ns()))
        self._seen = self._told()

    async def _reload(self) -> None:
        async with self._lock:
            self._exchange(await asyncio.to_thread(open_endpoints, self._settings, self._runner))

    def _exchange(self, endpoints: list[TaskEndpoint]) -> None:
        old, self._serving = self._serving, endpoints
        self._serve(endpoints)
        # A request may have read its handler already and be about to queue its rows.
        asyncio.get_running_loop().call_later(
            self._settings.max_timeout_s, self._runner.remove, [each.lane for each in old]
        )

    async def _listen(self) -> None:
        while True:
            await asyncio.sleep(_POLL_S)
            told = self._told()
            if told != self._seen:
                self._seen = told
                await self._reload()

    def _told(self) -> str:
        return self._note.read_text() if self._note.exists() else ""
