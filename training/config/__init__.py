"""One YAML file per experiment; every key is validated and an unknown key is an error."""

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from training.config.base import (
    Cell,
    Experiment,
    Optimizer,
    Settings,
    Trainer,
)
from training.config.detection import (
    DetectionExperiment,
    DetectionModel,
    MoreSentences,
)
from training.config.entities import (
    EntityType,
    NerExperiment,
    NerModel,
    NerSet,
    NerSource,
    UnlabelledSet,
    WordLanguageModelExperiment,
    WordLanguageModelSettings,
    WordSettings,
)
from training.config.sentiment import (
    LanguageModelExperiment,
    LanguageModelSettings,
    Pooling,
    SentimentExperiment,
    SentimentModel,
    SentimentSet,
    SentimentSource,
    SentimentTestSet,
)
from training.config.seq2seq import (
    Corpus,
    Noise,
    Pair,
    Seq2SeqModel,
    SpellingWeights,
    TestSet,
    TranslationExperiment,
    TranslationModel,
    TransliterationExperiment,
)
from training.errors import ConfigurationError

__all__ = [
    "AnyExperiment",
    "Cell",
    "Corpus",
    "DetectionExperiment",
    "DetectionModel",
    "EntityType",
    "Experiment",
    "LanguageModelExperiment",
    "LanguageModelSettings",
    "MoreSentences",
    "NerExperiment",
    "NerModel",
    "NerSet",
    "NerSource",
    "Noise",
    "Optimizer",
    "Pair",
    "Pooling",
    "SentimentExperiment",
    "SentimentModel",
    "SentimentSet",
    "SentimentSource",
    "SentimentTestSet",
    "Seq2SeqModel",
    "Settings",
    "SpellingWeights",
    "TestSet",
    "Trainer",
    "TranslationExperiment",
    "TranslationModel",
    "TransliterationExperiment",
    "UnlabelledSet",
    "WordLanguageModelExperiment",
    "WordLanguageModelSettings",
    "WordSettings",
    "experiment_of",
    "load_experiment",
]

AnyExperiment = Annotated[
    NerExperiment
    | SentimentExperiment
    | TranslationExperiment
    | DetectionExperiment
    | TransliterationExperiment
    | LanguageModelExperiment
    | WordLanguageModelExperiment,
    Field(discriminator="task"),
]
_ADAPTER: TypeAdapter[AnyExperiment] = TypeAdapter(AnyExperiment)


def load_experiment(path: Path) -> AnyExperiment:
    """Read and validate one experiment; ConfigurationError names the key, value and fault."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    return experiment_of(raw, str(path))


def experiment_of(settings: object, place: str) -> AnyExperiment:
    """Validate an experiment; `place` is where it was found, for the ConfigurationError."""
    try:
        return _ADAPTER.validate_python(settings)
    except ValidationError as error:
        raise ConfigurationError(f"{place}: {_first_fault(error)}") from error


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    key = ".".join(str(part) for part in fault["loc"]) or "file"
    if fault["type"] == "extra_forbidden":
        return f"{key}: unknown key; remove it or correct its spelling"
    return f"{key}: {fault['msg']} (found {fault['input']!r:.80})"
