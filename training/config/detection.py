"""Experiments that detect languages."""

from typing import Literal

from pydantic import Field

from training.config.base import Cell, Experiment, Settings
from training.config.seq2seq import Corpus


class DetectionModel(Settings):
    min_char_count: int = Field(20, gt=0)
    """A character that is rarer is known by its script alone."""
    character_size: int = Field(32, gt=0)
    gram_size: int = Field(16, gt=0)
    attention_size: int = Field(64, gt=0)
    dropout: float = Field(0.3, ge=0, lt=1)
    cell: Cell = Cell()


class MoreSentences(Settings):
    """Sentences of one language out of corpora below `translation/`."""

    language: str
    corpora: tuple[Corpus, ...] = Field(min_length=1)
    per_epoch: int = Field(gt=0)


class DetectionExperiment(Experiment):
    task: Literal["detection"]
    more: tuple[MoreSentences, ...] = ()
    """Sentences drawn anew for each epoch beside those of the language identification set."""
    least_per_language: int = Field(3000, gt=0)
    """Languages with fewer sentences are heard more than once an epoch."""
    romanised_per_epoch: int = Field(5000, ge=0)
    """Hindi sentences written in Latin letters anew for each epoch: the language `hi-Latn`."""
    hindi: tuple[Corpus, ...] = ()
    """Corpora of `translation/` whose Hindi side is romanised too."""
    fragment_rate: float = Field(0.4, ge=0, lt=1)
    """Share of sentences of which only one to four words are seen."""
    bare_rate: float = Field(0.3, ge=0, lt=1)
    """Share of sentences seen without punctuation."""
    plain_letters_rate: float = Field(0.05, ge=0, lt=1)
    """Share of sentences seen without their accents, as hurried people type."""
    label_smoothing: float = Field(0.05, ge=0, lt=1)
    model: DetectionModel = DetectionModel()
