"""Which predictor serves which task: the one table to extend."""

from typing import Any

from service.bundle import Bundle, Precision
from service.engine.session import Device
from service.tasks.base import Predictor
from service.tasks.ner import NerPredictor
from service.tasks.sentiment import SentimentPredictor
from service.tasks.translation import TranslationPredictor

PREDICTORS: dict[str, type[Predictor[Any]]] = {
    "ner": NerPredictor,
    "sentiment": SentimentPredictor,
    "translation": TranslationPredictor,
}


def open_predictor(
    bundle: Bundle, device: Device, precision: Precision | None = None, *, shared_pool: bool = False
) -> Predictor[Any]:
    """The predictor of a verified bundle, its sessions open."""
    opener = PREDICTORS[bundle.manifest.task].open
    return opener(bundle, device, precision, shared_pool=shared_pool)
