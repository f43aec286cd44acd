"""GET /models: what serves here, told from the bundles' manifests."""

from collections.abc import Sequence

import msgspec

from service.http.inference import TaskHandler
from service.http.limits import Limits


class ScoreInfo(msgspec.Struct, frozen=True):
    """One measured figure of the precision that serves, in percent unless its name says else."""

    dataset: str
    split: str
    metric: str
    value: float


class Direction(msgspec.Struct, frozen=True):
    """A pair of languages that translation serves."""

    src_lang: str
    tgt_lang: str


class ModelInfo(msgspec.Struct, frozen=True):
    """One model that serves. `longest_input` counts words or sub-words of one row."""

    task: str
    name: str
    version: str
    endpoint: str
    device: str
    precision: str
    labels: tuple[str, ...]
    directions: list[Direction]
    longest_input: int
    scores: list[ScoreInfo]


class LimitInfo(msgspec.Struct, frozen=True):
    """What one call may bring: characters of a text, texts, bytes of the body."""

    max_chars: int
    max_inputs: int
    max_body_bytes: int


class Models(msgspec.Struct, frozen=True):
    """All models that serve, and the limits of a call to them."""

    models: list[ModelInfo]
    limits: LimitInfo


def describe(handlers: Sequence[TaskHandler], limits: Limits) -> Models:
    return Models(
        [describe_model(handler) for handler in handlers],
        LimitInfo(limits.max_chars, limits.max_inputs, limits.max_body_bytes),
    )


def describe_model(handler: TaskHandler) -> ModelInfo:
    predictor = handler.endpoint.predictor
    manifest = predictor.bundle.manifest
    return ModelInfo(
        manifest.task,
        manifest.name,
        manifest.version,
        handler.route.path,
        predictor.device,
        predictor.precision,
        manifest.labels,
        [Direction(source, target) for source, target in manifest.languages],
        manifest.limits.longest_input,
        [
            ScoreInfo(score.dataset, score.split, score.metric, score.value)
            for score in manifest.scores
            if score.precision == predictor.precision
        ],
    )
