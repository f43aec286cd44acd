"""One YAML file per experiment; every key is validated and an unknown key is an error."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from training.errors import ConfigurationError


class Settings(BaseModel):
    """Base of all configuration parts: frozen, no unknown key."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Cell(Settings):
    """A stack of recurrent layers: Elman `rnn`, `gru` (Cho et al. 2014) or `lstm`."""

    kind: Literal["rnn", "gru", "lstm"] = "lstm"
    hidden: int = Field(256, gt=0)
    layers: int = Field(1, gt=0)
    bidirectional: bool = True
    dropout: float = Field(0.0, ge=0, lt=1)

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def width(self) -> int:
        """Features per step that the stack gives."""
        return self.hidden * self.directions


class Optimizer(Settings):
    learning_rate: float = Field(1e-3, gt=0)
    warmup_steps: int = Field(200, ge=0)
    decay_epochs: int = Field(0, ge=0)
    """Over how many last epochs of `max_epochs` the rate falls to nothing; 0 keeps it."""
    weight_decay: float = Field(0.0, ge=0)
    clip_norm: float = Field(1.0, gt=0)
    average_decay: float = Field(0.999, ge=0, lt=1)
    """Decay of the exponential moving average of the weights; 0 turns it off."""


class Trainer(Settings):
    max_epochs: int = Field(20, gt=0)
    max_minutes: float | None = Field(None, gt=0)
    """Ends the run after this long; the learning rate has fallen by then."""
    patience: int = Field(3, gt=0)
    batch_tokens: int = Field(3000, gt=0)
    """Rows times longest row of a training batch."""
    threads: int | None = Field(None, gt=0)
    workers: int = Field(0, ge=0)
    """Processes that prepare the next epoch while one runs; 0 prepares it in between."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: int = Field(1, gt=0)
    num_nodes: int = Field(1, gt=0)


class Experiment(Settings):
    """What every experiment states, whatever its task."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: str = Field("1.0.0", pattern=r"^\d+\.\d+\.\d+$")
    seed: int = 13
    history: str = ""
    """How the run departed from one uninterrupted run of this file; goes into the model card."""
    earlier_data: tuple[str, ...] = ()
    """Data sets that only earlier parts of the run were trained on: they are owed credit too."""
    optimizer: Optimizer = Optimizer()
    trainer: Trainer = Trainer()


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


_OWN = r"own/[a-z0-9][a-z0-9_-]*"
"""A data set of yours, which lies in the folder of that name."""

NerSet = Annotated[str, Field(pattern=rf"^(gmb|redocred|uner_ewt|wnut17|conll2003|conll|{_OWN})$")]
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


SentimentSet = Annotated[
    str,
    Field(
        pattern=r"^(pros_cons|customer_reviews|mr|clothing_reviews"
        rf"|amazon_multidomain|sst|imdb|{_OWN})$"
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
    corpora: tuple["Corpus", ...] = Field(min_length=1)
    per_epoch: int = Field(gt=0)


class DetectionExperiment(Experiment):
    task: Literal["detection"]
    more: tuple[MoreSentences, ...] = ()
    """Sentences drawn anew for each epoch beside those of the language identification set."""
    least_per_language: int = Field(3000, gt=0)
    """Languages with fewer sentences are heard more than once an epoch."""
    romanised_per_epoch: int = Field(5000, ge=0)
    """Hindi sentences written in Latin letters anew for each epoch: the language `hi-Latn`."""
    hindi: tuple["Corpus", ...] = ()
    """Corpora of `translation/` whose Hindi side is romanised too."""
    fragment_rate: float = Field(0.4, ge=0, lt=1)
    """Share of sentences of which only one to four words are seen."""
    bare_rate: float = Field(0.3, ge=0, lt=1)
    """Share of sentences seen without punctuation."""
    plain_letters_rate: float = Field(0.05, ge=0, lt=1)
    """Share of sentences seen without their accents, as hurried people type."""
    label_smoothing: float = Field(0.05, ge=0, lt=1)
    model: DetectionModel = DetectionModel()


class Corpus(Settings):
    """A folder below `translation/`, and the splits of it that may be trained on."""

    name: str
    splits: tuple[str, ...] = Field(("train",), min_length=1)
    repeat: int = Field(1, gt=0)
    """How often each of its pairs counts."""


class Seq2SeqModel(Settings):
    """An encoder-decoder over one vocabulary, whatever its units are."""

    embedding_size: int = Field(256, gt=0)
    attention: Literal["general", "additive"] = "general"
    """Score of Luong et al. 2015 or of Bahdanau et al. 2015."""
    dropout: float = Field(0.2, ge=0, lt=1)
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    sampled_softmax: int = Field(0, ge=0)
    """Words drawn beside a batch's own for the training softmax on a CPU; 0 takes the whole
    vocabulary, and so does a GPU."""
    encoder: Cell = Cell(kind="gru")
    decoder: Cell = Cell(kind="gru", bidirectional=False)


class TranslationModel(Seq2SeqModel):
    vocabulary: int = Field(8000, gt=300)


class Pair(Settings):
    """Two languages; the first corpus has their dev and test sets."""

    corpora: tuple[Corpus, ...] = Field(min_length=1)
    languages: tuple[str, str]
    both_ways: bool = True
    """Whether the second language is also translated into the first."""


class TestSet(Settings):
    """A further test set, scored in one direction."""

    __test__ = False
    corpus: str
    languages: tuple[str, str]
    split: str = "test"


class Noise(Settings):
    """Shares of source sentences that are seen as people type them."""

    lowercase: float = Field(0.0, ge=0, lt=1)
    unpunctuated: float = Field(0.0, ge=0, lt=1)
    """Without the mark at the end."""
    typo: float = Field(0.0, ge=0, lt=1)
    """With one letter dropped, doubled or swapped."""


class TranslationExperiment(Experiment):
    task: Literal["translation"]
    pairs: tuple[Pair, ...] = Field(min_length=1)
    epoch_pairs: int = Field(200_000, gt=0)
    """Sentence pairs drawn an epoch, over all directions."""
    temperature: float = Field(1.0, ge=1)
    """A pair of n sentences is drawn n^(1/temperature) often (Arivazhagan et al. 2019): above 1,
    small sets are heard more."""
    noise: Noise = Noise()
    standins: float = Field(0.0, ge=0, le=1)
    """Share of the names that both sides have which are replaced by stand-ins, in training."""
    known_word_count: int = Field(3, gt=0)
    """A word seen this often in training is known to the model; an unknown name is copied."""
    test_sets: tuple[TestSet, ...] = ()
    """Beside the test sets of the pairs' first corpora."""
    dev_rows: int = Field(300, gt=0)
    """Development rows scored per direction, after each epoch and when int8 is judged."""
    max_pieces: int = Field(60, gt=0)
    beams: int = Field(4, ge=1, le=8)
    """Beams that the bundle searches with where a caller does not say."""
    length_penalty: float = Field(1.0, ge=0)
    """Power of the length that divides a hypothesis's log-probability (Wu et al. 2016)."""
    model: TranslationModel = TranslationModel()


class SpellingWeights(Settings):
    """What counts beside the model's score of a spelling; chosen on the development set."""

    frequency: float = Field(0.4, ge=0)
    listed: float = Field(2.5, ge=0)
    ngrams: float = Field(0.3, ge=0)
    length: float = Field(0.7, ge=0)


class TransliterationExperiment(Experiment):
    task: Literal["transliteration"]
    sources: tuple[Literal["dakshina_hi", "aksharantar_hi"], ...] = ("dakshina_hi",)
    made_per_epoch: int = Field(0, ge=0)
    """Frequent Hindi words spelt by rule, loosely, anew for each epoch."""
    corpora: tuple[Corpus, ...] = ()
    """Corpora of `translation/` whose Hindi words are counted."""
    ngram_order: int = Field(5, gt=0)
    least_ngrams: int = Field(2, gt=0)
    """Times that an n-gram of the full order must occur in the words to be kept."""
    weights: SpellingWeights = SpellingWeights()
    beams: int = Field(8, ge=1, le=8)
    model: Seq2SeqModel = Seq2SeqModel()


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
