"""One file a task; `open_task` finds the one of an experiment."""

from pathlib import Path
from typing import Any

from training.config import (
    AnyExperiment,
    DetectionExperiment,
    LanguageModelExperiment,
    NerExperiment,
    SentimentExperiment,
    TransliterationExperiment,
    WordLanguageModelExperiment,
)
from training.errors import ConfigurationError
from training.tasks.base import TrainableTask, TrainingTask
from training.tasks.detection import DetectionTask
from training.tasks.language_model import LanguageModelTask
from training.tasks.ner import NerTask
from training.tasks.sentiment import SentimentTask
from training.tasks.translation import TranslationTask
from training.tasks.transliteration import TransliterationTask
from training.tasks.word_language_model import WordLanguageModelTask


def open_trainable(experiment: AnyExperiment, run: Path) -> TrainableTask[Any, Any]:
    """What trains `experiment`, with its files in `run`."""
    if isinstance(experiment, WordLanguageModelExperiment):
        return WordLanguageModelTask(experiment, run)
    if isinstance(experiment, LanguageModelExperiment):
        return LanguageModelTask(experiment, run)
    return open_task(experiment, run)


def open_task(experiment: AnyExperiment, run: Path) -> TrainingTask[Any, Any]:
    """The task of `experiment`. ConfigurationError for one that nothing is exported from."""
    if isinstance(experiment, NerExperiment):
        return NerTask(experiment, run)
    if isinstance(experiment, SentimentExperiment):
        return SentimentTask(experiment, run)
    if isinstance(experiment, DetectionExperiment):
        return DetectionTask(experiment, run)
    if isinstance(experiment, TransliterationExperiment):
        return TransliterationTask(experiment, run)
    if isinstance(experiment, WordLanguageModelExperiment | LanguageModelExperiment):
        raise ConfigurationError(
            f"{experiment.name}: a language model is a start for other models, not served itself; "
            "export the model that names it as `pretrained` or `initial`"
        )
    return TranslationTask(experiment, run)
