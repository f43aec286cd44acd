"""One file a task; `open_task` finds the one of an experiment."""

from pathlib import Path
from typing import Any

from training.config import (
    AnyExperiment,
    DetectionExperiment,
    NerExperiment,
    SentimentExperiment,
    TransliterationExperiment,
)
from training.tasks.base import TrainingTask
from training.tasks.detection import DetectionTask
from training.tasks.ner import NerTask
from training.tasks.sentiment import SentimentTask
from training.tasks.translation import TranslationTask
from training.tasks.transliteration import TransliterationTask


def open_task(experiment: AnyExperiment, run: Path) -> TrainingTask[Any, Any]:
    """The training task of `experiment`, with its files in `run`."""
    if isinstance(experiment, NerExperiment):
        return NerTask(experiment, run)
    if isinstance(experiment, SentimentExperiment):
        return SentimentTask(experiment, run)
    if isinstance(experiment, DetectionExperiment):
        return DetectionTask(experiment, run)
    if isinstance(experiment, TransliterationExperiment):
        return TransliterationTask(experiment, run)
    return TranslationTask(experiment, run)
