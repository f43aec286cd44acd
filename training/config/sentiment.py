"""Experiments with reviews: classifiers, and the language models that they start from."""

from typing import Annotated, Literal

from pydantic import Field

from training.config.base import OWN_SET, Cell, Experiment, Settings

SentimentSet = Annotated[
    str,
    Field(
        pattern=r"^(pros_cons|customer_reviews|mr|clothing_reviews"
        rf"|amazon_multidomain|sst|imdb|{OWN_SET})$"
    ),
]
SentimentTestSet = SentimentSet | Literal["order_sensitive"]


class LanguageModelSettings(Settings):
    vocabulary: int = Field(12000, gt=300)
    embedding_size: int = Field(160, gt=0)
    dropout: float = Field(0.1, ge=0, lt=1)
    window: int = Field(96, gt=1)
    """Sub-words that are read at a time; the state starts anew with each window."""
    sampled_softmax: int = Field(1000, ge=0)
    """Words drawn beside a batch's own for the training softmax; 0 takes the whole vocabulary."""
    cell: Cell = Cell()


class LanguageModelExperiment(Experiment):
    """Pretraining of a classifier's embeddings and recurrent layer on unlabelled reviews."""

    task: Literal["language_model"]
    sources: tuple[SentimentSet, ...] = Field(min_length=1)
    parts: int = Field(1, gt=0)
    """Epochs that one pass over the text is cut into: a run can be stopped after each."""
    model: LanguageModelSettings = LanguageModelSettings()


Pooling = Literal["attention", "max", "mean"]


class SentimentSource(Settings):
    name: SentimentSet
    rows: int = Field(0, ge=0)
    """Rows drawn anew for each epoch, those of small sets more than once; 0 takes each once."""


class SentimentModel(Settings):
    vocabulary: int = Field(12000, gt=300)
    embedding_size: int = Field(128, gt=0)
    attention_size: int = Field(128, gt=0)
    poolings: tuple[Pooling, ...] = Field(("attention",), min_length=1)
    """Summaries of the recurrent states that the label is read from, side by side."""
    dropout: float = Field(0.5, ge=0, lt=1)
    piece_dropout: float = Field(0.05, ge=0, lt=1)
    max_pieces: int = Field(400, gt=1)
    """Training texts are cut to this many sub-words; serving is not."""
    cell: Cell = Cell()


class SentimentExperiment(Experiment):
    task: Literal["sentiment"]
    initial: str = ""
    """Name of a language model experiment whose run the embeddings and the recurrent layer start
    from, and whose sub-words are used."""
    patterns: int = Field(0, ge=0)
    """Sentences composed anew for each epoch: negation, contrast, comparison."""
    sources: tuple[SentimentSource, ...] = Field(min_length=1)
    dev_sets: tuple[SentimentTestSet, ...] = Field(min_length=1)
    test_sets: tuple[SentimentTestSet, ...] = ()
    model: SentimentModel = SentimentModel()
