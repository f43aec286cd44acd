"""One file a task; `open_task` finds the one of an experiment."""

from pathlib import Path
from typing import Any

from training.config import (
    AnyExperiment,
    LanguageModelExperiment,
    NerExperiment,
    SentimentExperiment,
)
from training.errors import ConfigurationError
from training.tasks.base import TrainableTask, TrainingTask
from training.tasks.language_model import LanguageModelTask
from training.tasks.ner import NerTask
from training.tasks.sentiment import SentimentTask
from training.tasks.translation import TranslationTask


def open_trainable(experiment: AnyExperiment, run: Path) -> TrainableTask[Any, Any]:
    """What trains `experiment`, with its files in `run`."""
    if isinstance(experiment, LanguageModelExperiment):
        return LanguageModelTask(experiment, run)
    return open_task(experiment, run)


def open_task(experiment: AnyExperiment, run: Path) -> TrainingTask[Any, Any]:
    """The task of `experiment`. ConfigurationError for one that nothing is exported from."""
    if isinstance(experiment, LanguageModelExperiment):
        raise ConfigurationError(
            f"{experiment.name}: a language model is what classifiers start from (`initial`); "
            "it has no bundle, export one of them"
        )
    if isinstance(experiment, NerExperiment):
        return NerTask(experiment, run)
    if isinstance(experiment, SentimentExperiment):
        return SentimentTask(experiment, run)
    return TranslationTask(experiment, run)
