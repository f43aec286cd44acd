"""A task in this process: the same endpoints as behind HTTP, without HTTP."""

import asyncio
from collections.abc import Sequence
from typing import Any, Self

import msgspec

from service.bundle import BundleError
from service.engine.errors import EngineError
from service.engine.runner import Runner
from service.engine.session import share_threads
from service.loading import open_endpoints
from service.settings import Settings, SettingsError
from service.tasks.endpoint import TaskEndpoint
from service.tasks.errors import InputRefused

_HELPERS = {"translation": ("detection", "transliteration")}
"""Tasks that another one reads its texts with, where they are there."""
_TIMEOUT_S = 3_600


class NoBundle(Exception):
    """There is no bundle of the task."""


Refusals = (
    NoBundle,
    BundleError,
    SettingsError,
    EngineError,
    InputRefused,
    msgspec.ValidationError,
)
"""Errors whose message tells a person what to do."""


class LocalTask:
    """Answers of one task; a loop of its own runs while it answers."""

    def __init__(self, endpoint: TaskEndpoint, runner: Runner) -> None:
        self._endpoint = endpoint
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(_start(runner))

    @classmethod
    def open(cls, task: str) -> Self:
        """Open the newest bundle of `task`. One of `Refusals` if it cannot serve."""
        settings = Settings.load()
        share_threads(settings.threads)
        runner = Runner([])
        for endpoint in open_endpoints(settings, runner, (task, *_HELPERS.get(task, ()))):
            if endpoint.predictor.bundle.manifest.task == task:
                return cls(endpoint, runner)
        raise NoBundle(f"no bundle of task {task!r} in {settings.bundles}; set SLUICE_BUNDLES")

    def answer(self, texts: Sequence[str], parameters: dict[str, Any]) -> list[Any]:
        """Answers as HTTP gives them, as plain values. One of `Refusals` for what HTTP refuses."""
        told = msgspec.convert(parameters, self._endpoint.predictor.parameters)
        call = self._endpoint.answer(texts, told, _TIMEOUT_S)
        answered = self._loop.run_until_complete(call)
        return [msgspec.to_builtins(answer) for answer in answered.answers]


async def _start(runner: Runner) -> None:
    """A runner begins on the loop that submits to it."""
    runner.start()
