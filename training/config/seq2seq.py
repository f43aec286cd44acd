"""Experiments with encoder-decoders: translation and transliteration."""

from typing import Literal

from pydantic import Field

from training.config.base import Cell, Experiment, Settings


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
