"""Experiments with words: taggers, and the language models that they start from."""

from typing import Annotated, Literal

from pydantic import Field

from training.config.base import OWN_SET, Cell, Experiment, Settings


class WordSettings(Settings):
    """How words are read: their embedding and their characters."""

    word_size: int = Field(100, gt=0)
    char_size: int = Field(30, gt=0)
    char_filters: int = Field(50, gt=0)
    char_window: int = Field(3, gt=0)
    min_word_count: int = Field(2, gt=0)
    min_char_count: int = Field(5, gt=0)
    dropout: float = Field(0.5, ge=0, lt=1)
    lowercase_rate: float = Field(0.1, ge=0, lt=1)
    """Share of training sentences seen in lower case."""
    uppercase_rate: float = Field(0.0, ge=0, lt=1)
    """Share of training sentences seen in capitals."""
    cell: Cell = Cell()


UnlabelledSet = Literal[
    "gmb", "redocred", "uner_ewt", "wnut17", "conll", "conll2003",
    "masc", "schema_guided_dialogue",
    "tatoeba_en-de", "tatoeba_en-fr", "tatoeba_en-es", "massive", "tico19", "indian_parallel_hi-en",
    "pros_cons", "customer_reviews", "mr", "amazon_multidomain", "imdb",
]  # fmt: skip


class WordLanguageModelSettings(WordSettings):
    negatives: int = Field(1000, gt=0)
    """Words drawn beside a batch's own for the training softmax."""


class WordLanguageModelExperiment(Experiment):
    """A word model trained on unlabelled text, for taggers to start from; it is not served."""

    task: Literal["word_language_model"]
    corpora: tuple[UnlabelledSet, ...] = Field(min_length=1)
    longest_sentence: int = Field(60, gt=1)
    """Words; longer sentences are cut into pieces."""
    parts: int = Field(1, gt=0)
    """Epochs that one pass over the text is cut into: a run can be stopped after each."""
    model: WordLanguageModelSettings = WordLanguageModelSettings()


NerSet = Annotated[
    str, Field(pattern=rf"^(gmb|redocred|uner_ewt|wnut17|conll2003|conll|{OWN_SET})$")
]
EntityType = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]


class NerSource(Settings):
    name: NerSet
    repeat: int = Field(1, gt=0)
    """How often each sentence of the source is seen in an epoch."""


class NerModel(WordSettings):
    word_dropout: float = Field(1.0, ge=0)
    """A word seen n times in training is made unknown with probability a / (a + n), for this a
    (Kiperwasser & Goldberg, TACL 2016): unknown then means rare, which is what names are."""
    open_end_rate: float = Field(0.2, ge=0, lt=1)
    """Share of training sentences seen without their final stop."""
    late_start_rate: float = Field(0.1, ge=0, lt=1)
    """Share of training sentences seen from one of their entities on: short, little context."""
    rename_rate: float = Field(0.3, ge=0, lt=1)
    """Share of people who are given one or two other names of the training data."""
    swap_rate: float = Field(0.0, ge=0, lt=1)
    """Share of organizations and places that are given another one's name."""
    convention_rate: float = Field(0.5, ge=0, le=1)
    """Share of training sentences that are read under their own source's convention; the others
    teach the general one. One source alone has no convention but the general."""


class NerExperiment(Experiment):
    task: Literal["ner"]
    labels: tuple[EntityType, ...] = Field(("PER", "ORG", "LOC", "TIME"), min_length=1)
    pretrained: str = ""
    """Name of the word language model, among the runs, to start from."""
    pretrained_data: tuple[UnlabelledSet, ...] = ()
    """What that model read: owed credit like the other data."""
    own_sentences: bool = False
    """Score our own hand-written sentences beside the dev sets."""
    everyday: int = Field(0, ge=0)
    """Everyday sentences made anew for each epoch, and a tenth as many for development."""
    sources: tuple[NerSource, ...] = Field(min_length=1)
    test_sets: tuple[NerSet, ...] = ()
    model: NerModel = NerModel()
