"""Which predictor serves which task: the one table to extend."""

from collections.abc import Sequence
from typing import Any

from service.bundle import MANIFEST, Bundle, BundleError, Precision
from service.engine.runner import Lane, Runner
from service.engine.session import Device
from service.tasks.base import Predictor
from service.tasks.detection import DetectionPredictor
from service.tasks.endpoint import TaskEndpoint
from service.tasks.ner import NerPredictor
from service.tasks.sentiment import SentimentPredictor
from service.tasks.sources import SourceReader
from service.tasks.translation import TranslationPredictor
from service.tasks.translator import TranslationEndpoint
from service.tasks.transliteration import TransliterationPredictor

PREDICTORS: dict[str, type[Predictor[Any]]] = {
    "ner": NerPredictor,
    "sentiment": SentimentPredictor,
    "translation": TranslationPredictor,
    "detection": DetectionPredictor,
    "transliteration": TransliterationPredictor,
}


def predictor_type(bundle: Bundle) -> type[Predictor[Any]]:
    """The predictor class of a bundle's task. BundleError for a task that nobody serves."""
    task = bundle.manifest.task
    if task not in PREDICTORS:
        reason = f"task {task!r} is not one of {', '.join(PREDICTORS)}"
        raise BundleError(bundle.path, MANIFEST, reason)
    return PREDICTORS[task]


def open_predictor(
    bundle: Bundle, device: Device, precision: Precision | None = None, *, shared_pool: bool = False
) -> Predictor[Any]:
    """The predictor of a verified bundle, its sessions open."""
    return predictor_type(bundle).open(bundle, device, precision, shared_pool=shared_pool)


def connect(
    predictors: Sequence[Predictor[Any]], lanes: Sequence[Lane], runner: Runner
) -> list[TaskEndpoint]:
    """An endpoint for each predictor; translation reads its sources with the help of others."""
    found = {
        predictor.bundle.manifest.task: TaskEndpoint(predictor, lane, runner)
        for predictor, lane in zip(predictors, lanes, strict=True)
    }
    reader = SourceReader(found.get("detection"), found.get("transliteration"))
    for predictor, lane in zip(predictors, lanes, strict=True):
        if isinstance(predictor, TranslationPredictor):
            found["translation"] = TranslationEndpoint(predictor, lane, runner, reader)
    return list(found.values())
