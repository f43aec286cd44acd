"""Training of the language detector."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from service.bundle import Limits, Parity
from service.engine.rows import Row
from service.engine.session import pad_rows
from service.tasks.base import Predictor
from service.tasks.detection import VOCABULARY, DetectionParameters, detection_row
from service.text.alphabet import Alphabet, script_of
from service.text.detection import has_letters, plain, windows
from training.config import Corpus, DetectionExperiment, MoreSentences
from training.data.batches import TokenBatchSampler, pad, token_batches
from training.data.fragments import fragment, without_accents, without_marks
from training.data.labelled import Labelled, read_labelled
from training.data.lexicon import read_spellings
from training.data.parallel import read_pairs
from training.data.romanised import Romaniser
from training.graphs.detector import detector_graph
from training.graphs.graph import Graph
from training.models.detector import Detector
from training.reports.languages import Detected, language_parts
from training.reports.parts import Part
from training.tasks.base import Description, Measured, TrainingTask

ROMANISED = "hi-Latn"
SHORT_LENGTHS = (1, 2, 3)
"""Words of the short texts that are scored beside whole sentences."""

_LONGEST_INPUT = 160
_PARITY_ROWS = 64
_DEV_BATCH_TOKENS = 8000
_DATASET = "language_identification"


class Example(NamedTuple):
    row: Row
    label: int


class DetectionBatch(NamedTuple):
    """characters (batch, time), grams (batch, time, orders), lengths and labels (batch,)."""

    characters: Tensor
    grams: Tensor
    lengths: Tensor
    labels: Tensor


class DetectionTask(TrainingTask[DetectionExperiment, Detector]):
    def learn_vocabularies(self) -> None:
        """Frequent characters, and the scripts of the rare ones."""
        counts: Counter[str] = Counter()
        for sentence in self._sentences:
            counts.update(plain(sentence.text))
        least = self.experiment.model.min_char_count
        frequent = [char for char, count in counts.most_common() if count >= least]
        scripts = sorted({script_of(char) for char in counts if char.isalpha()})
        Alphabet([*frequent, *scripts]).save(self.run / VOCABULARY)

    @cached_property
    def alphabet(self) -> Alphabet:
        return Alphabet.load(self.run / VOCABULARY)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        found = {sentence.language for sentence in self._sentences}
        romanised = {ROMANISED} if self.experiment.romanised_per_epoch else set()
        return tuple(sorted(found | romanised))

    def build_model(self) -> Detector:
        return Detector(self.experiment.model, self.alphabet.size, len(self.labels))

    def train_loader(self, epoch: int) -> DataLoader[Any]:
        rng = np.random.default_rng([self.experiment.seed, epoch, 1])
        drawn = [*self._balanced(rng), *self._more(rng), *self._romanised(rng)]
        examples = self._examples((self._noisy(found, rng) for found in drawn), epoch)
        sampler = TokenBatchSampler(
            [example.row.length for example in examples],
            self.experiment.trainer.batch_tokens,
            seed=self.experiment.seed,
            epoch=epoch,
        )
        return DataLoader(examples, batch_sampler=sampler, collate_fn=_collate)  # type: ignore[arg-type]

    def dev_loader(self) -> DataLoader[Any]:
        """Whole sentences, and as many short pieces of them."""
        whole = self._held_out("dev")
        short = [found for count in SHORT_LENGTHS for found in first_words(whole, count)]
        examples = self._examples([*whole, *short[::3]], epoch=0)
        batches = token_batches([e.row.length for e in examples], _DEV_BATCH_TOKENS)
        return DataLoader(examples, batch_sampler=batches, collate_fn=_collate)  # type: ignore[arg-type]

    def loss(self, model: Detector, batch: DetectionBatch) -> Tensor:
        logits = model(batch.characters, batch.grams, batch.lengths).float()
        smoothing = self.experiment.label_smoothing
        return F.cross_entropy(logits, batch.labels, label_smoothing=smoothing)

    def observe(self, model: Detector, batch: DetectionBatch) -> Sequence[Any]:
        logits = model(batch.characters, batch.grams, batch.lengths)
        found: list[bool] = logits.argmax(-1).eq(batch.labels).tolist()
        return found

    def dev_scores(self, observations: Sequence[Any]) -> dict[str, float]:
        return {"score": 100 * sum(observations) / len(observations)}

    def graphs(self, model: Detector) -> dict[str, Graph]:
        return {"model": detector_graph(model)}

    def describe(self, model: Detector) -> Description:
        return Description(
            use="Says which of 29 languages a text is in, or that it is Hindi in Latin letters.",
            failures="A text in another language gets the label of a similar one. One or two words "
            "often belong to several languages (Spanish and Portuguese, Danish and Swedish, "
            "Russian and Ukrainian and Bulgarian). Names have no language. Trained on everyday "
            "sentences of Tatoeba.",
            labels=self.labels,
            limits=Limits(longest_input=_LONGEST_INPUT),
            text={"lowercase": True},
            vocabulary=VOCABULARY,
            data=tuple(dict.fromkeys([_DATASET, *self._further_data()])),
        )

    def parameters(self) -> DetectionParameters:
        return DetectionParameters()

    def dev_texts(self, count: int) -> list[str]:
        texts = [found.text for found in self._held_out("dev")]
        return texts[:: max(1, len(texts) // count)][:count]

    def parity(self, model: Detector, predictor: Predictor[Any]) -> Parity:
        prepared = [predictor.prepare(t, self.parameters()) for t in self.dev_texts(_PARITY_ROWS)]
        rows = [row for part in prepared for row in part.rows]
        served = np.stack([output["logits"] for output in predictor.run(rows)])
        batch = _collate([Example(row, 0) for row in rows])
        with torch.no_grad():
            logits = model(batch.characters, batch.grams, batch.lengths).numpy()
        error = float(np.abs(logits - served).max())
        same = bool((logits.argmax(1) == served.argmax(1)).all())
        return Parity(max_abs_error=error, rows=len(rows), same_answers=same)

    def evaluate(self, predictor: Predictor[Any], split: str) -> list[Measured]:
        """Sentences of the 29 languages first; romanised Hindi; the first words of sentences."""
        held_out = self._held_out(split)
        whole = [found for found in held_out if found.language != ROMANISED]
        romanised = [found for found in held_out if found.language == ROMANISED]
        sets = (
            {"accuracy": whole, f"accuracy {ROMANISED}": romanised}
            if romanised
            else {"accuracy": whole}
        )
        for count in SHORT_LENGTHS:
            sets[f"accuracy, {count} words"] = first_words(whole, count)
        return [
            Measured(_DATASET, metric, accuracy(predictor, rows), len(rows))
            for metric, rows in sets.items()
        ]

    def report_parts(self, predictor: Predictor[Any]) -> Sequence[Part]:
        whole = self._held_out("test")
        short = {count: detected(predictor, first_words(whole, count)) for count in SHORT_LENGTHS}
        return language_parts(detected(predictor, whole), short, self.labels)

    @cached_property
    def _sentences(self) -> list[Labelled]:
        return read_labelled("train")

    @cached_property
    def _hindi(self) -> list[str]:
        """Hindi training sentences, each once."""
        texts = [found.text for found in self._sentences if found.language == "hi"]
        return self._not_held_out([*texts, *sentences_of(self.experiment.hindi, "hi")])

    @cached_property
    def _more_sentences(self) -> list[tuple[MoreSentences, list[str]]]:
        return [
            (more, self._not_held_out(sentences_of(more.corpora, more.language)))
            for more in self.experiment.more
        ]

    def _not_held_out(self, texts: Iterable[str]) -> list[str]:
        """Each text once, without those that are scored: the corpora overlap."""
        held_out = {found.text for split in ("dev", "test") for found in read_labelled(split)}
        return [text for text in dict.fromkeys(texts) if text not in held_out]

    def _more(self, rng: np.random.Generator) -> list[Labelled]:
        drawn = []
        for more, texts in self._more_sentences:
            chosen = rng.integers(len(texts), size=more.per_epoch).tolist()
            drawn += [Labelled(texts[i], more.language) for i in chosen]
        return drawn

    @cached_property
    def _romaniser(self) -> Romaniser:
        return Romaniser(read_spellings("dakshina_hi", "train"))

    def _balanced(self, rng: np.random.Generator) -> list[Labelled]:
        """Every sentence once; those of a small language again, until there are enough."""
        by_language: defaultdict[str, list[Labelled]] = defaultdict(list)
        for sentence in self._sentences:
            by_language[sentence.language].append(sentence)
        drawn = list(self._sentences)
        for found in by_language.values():
            missing = max(0, self.experiment.least_per_language - len(found))
            drawn += [found[i] for i in rng.integers(len(found), size=missing)]
        return drawn

    def _further_data(self) -> list[str]:
        corpora = [corpus for more in self.experiment.more for corpus in more.corpora]
        if not self.experiment.romanised_per_epoch:
            return [corpus.name for corpus in corpora]
        return ["dakshina_hi", *(corpus.name for corpus in [*self.experiment.hindi, *corpora])]

    def _romanised(self, rng: np.random.Generator) -> list[Labelled]:
        count = self.experiment.romanised_per_epoch
        if not count:
            return []
        chosen = rng.integers(len(self._hindi), size=count).tolist()
        texts = [self._romaniser.sentence(self._hindi[i], rng) for i in chosen]
        return [Labelled(text, ROMANISED) for text in texts]

    def _held_out(self, split: str) -> list[Labelled]:
        """Sentences of `split`, and its Hindi ones romanised (the same at every call)."""
        sentences = read_labelled(split)
        if not self.experiment.romanised_per_epoch:
            return sentences
        rng = np.random.default_rng([self.experiment.seed, 2])
        hindi = [found.text for found in sentences if found.language == "hi"]
        latin = [Labelled(self._romaniser.sentence(text, rng), ROMANISED) for text in hindi]
        return [*sentences, *latin]

    def _noisy(self, sentence: Labelled, rng: np.random.Generator) -> Labelled:
        """As people type: a few words of it, without punctuation, without accents."""
        text, settings = sentence.text, self.experiment
        if rng.random() < settings.fragment_rate:
            text = fragment(text, rng)
        if rng.random() < settings.bare_rate:
            text = without_marks(text)
        if rng.random() < settings.plain_letters_rate:
            text = without_accents(text)
        return Labelled(text if has_letters(text) else sentence.text, sentence.language)

    def _examples(self, sentences: Iterable[Labelled], epoch: int) -> list[Example]:
        """One window of each sentence, another one each epoch."""
        ids = {language: i for i, language in enumerate(self.labels)}
        examples = []
        for sentence in sentences:
            parts = windows(plain(sentence.text))
            text = parts[epoch % len(parts)]
            if text:
                examples.append(Example(detection_row(self.alphabet, text), ids[sentence.language]))
        return examples


def sentences_of(corpora: Iterable[Corpus], language: str) -> list[str]:
    """The side of parallel corpora that is in `language`."""
    other = "de" if language == "en" else "en"
    return [
        pair.source
        for corpus in corpora
        for split in corpus.splits
        for pair in read_pairs(corpus.name, split, (language, other))
    ]


def first_words(sentences: Sequence[Labelled], count: int) -> list[Labelled]:
    """The first `count` words of each longer sentence of a language that puts blanks between."""
    split = [(found.text.split(), found.language) for found in sentences]
    cut = [Labelled(" ".join(w[:count]), language) for w, language in split if len(w) > count]
    return [found for found in cut if has_letters(plain(found.text))]


def detected(predictor: Predictor[Any], sentences: Sequence[Labelled]) -> list[Detected]:
    """The likeliest language of each sentence, beside its own."""
    answers = predictor.predict([found.text for found in sentences], DetectionParameters(top_k=1))
    pairs = zip(sentences, answers, strict=True)
    return [Detected(*found, answer[0].label, answer[0].score) for found, answer in pairs]


def accuracy(predictor: Predictor[Any], sentences: Sequence[Labelled]) -> float:
    """Percent of sentences whose language comes first."""
    return 100 * sum(one.right for one in detected(predictor, sentences)) / len(sentences)


def _collate(examples: list[Example]) -> DetectionBatch:
    return DetectionBatch(
        pad([example.row.inputs["characters"] for example in examples]),
        torch.from_numpy(pad_rows([example.row.inputs["grams"] for example in examples])),
        torch.tensor([example.row.length for example in examples]),
        torch.tensor([example.label for example in examples]),
    )
