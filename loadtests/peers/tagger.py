"""What every peer serves: the entity bundle, through the service's own predictor."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from service.bundle import load_bundle
from service.engine.session import share_threads
from service.tasks.registry import open_predictor

SETTINGS = "PEER_SETTINGS"
"""The environment variable that tells a peer what to do, as JSON."""


class PeerSettings(NamedTuple):
    """`workers` processes of `threads` ONNX Runtime threads each; batches of up to `batch` rows.

    A batch that is not full is held open for `wait_ms`. `extra` has what one peer alone knows.
    """

    bundle: str
    port: int
    workers: int = 2
    threads: int = 1
    batch: int = 32
    wait_ms: float = 1.0
    extra: str = ""

    @classmethod
    def from_environment(cls) -> Self:
        return cls(**json.loads(os.environ[SETTINGS]))

    def to_json(self) -> str:
        return json.dumps(self._asdict())


class Tagger:
    """Texts to entities as plain dictionaries; a call is one batch."""

    def __init__(self, settings: PeerSettings) -> None:
        share_threads(settings.threads)
        bundle = load_bundle(Path(settings.bundle))
        self._predictor = open_predictor(bundle, "cpu", shared_pool=True)
        self._parameters = self._predictor.parameters()
        self._predictor.warm_up(self._parameters)

    def __call__(self, texts: Sequence[str]) -> list[list[dict[str, Any]]]:
        answers = self._predictor.predict(texts, self._parameters)
        return [msgspec.to_builtins(answer) for answer in answers]
