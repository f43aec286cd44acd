"""Training of the sentiment classifier."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from service.bundle import Limits, Parity
from service.tasks.base import Predictor
from service.tasks.sentiment import VOCABULARY, SentimentParameters
from service.text.characters import without_controls
from service.text.subwords import BOS_ID, Subwords
from training.baseline import baseline_parts
from training.config import SentimentExperiment
from training.data.batches import TokenBatchSampler, pad, token_batches
from training.data.composition import compose_reviews
from training.data.reviews import LABELS, OWN_SENTENCES, Review, read_reviews, read_texts
from training.graphs.classifier import classifier_graph
from training.graphs.graph import Graph
from training.judgements import judge
from training.models.calibration import fit_temperature
from training.models.classifier import Classifier
from training.pretraining import start_from, take_over
from training.reports.parts import Part
from training.reports.sentiment import sentiment_parts
from training.tasks.base import Description, Measured, TrainingTask

_LONGEST_INPUT = 5000
_PARITY_ROWS = 64
_DEV_BATCH_TOKENS = 8000


class Example(NamedTuple):
    """A text in ids, its label, and the set that it came from."""

    ids: NDArray[np.int64]
    label: int
    dataset: str


class ReviewBatch(NamedTuple):
    """ids (batch, time), lengths (batch,), labels (batch,), and the rows' sets."""

    ids: Tensor
    lengths: Tensor
    labels: Tensor
    datasets: list[str]


class SentimentTask(TrainingTask[SentimentExperiment, Classifier]):
    def learn_vocabularies(self) -> None:
        """Sub-words of the training texts, or those of the language model to start from."""
        if self.experiment.initial:
            take_over(self.run.parent / self.experiment.initial, self.run)
            return
        texts = (text for source in self.experiment.sources for text in read_texts(source.name))
        size = self.experiment.model.vocabulary
        Subwords.train(texts, size, lowercase=True, rejoin=True).save(self.run / VOCABULARY)

    @cached_property
    def subwords(self) -> Subwords:
        return Subwords.load(self.run / VOCABULARY)

    def build_model(self) -> Classifier:
        return Classifier(self.experiment.model, self.subwords.size, len(LABELS))

    def start(self, model: Classifier) -> None:
        """With the embeddings and the recurrent layer of the language model, if one is named."""
        if self.experiment.initial:
            start_from(self.run, model)

    def train_loader(self, epoch: int) -> DataLoader[Any]:
        examples = self._drawn(epoch)
        sampler = TokenBatchSampler(
            [len(example.ids) for example in examples],
            self.experiment.trainer.batch_tokens,
            seed=self.experiment.seed,
            epoch=epoch,
        )
        return DataLoader(examples, batch_sampler=sampler, collate_fn=_collate)  # type: ignore[arg-type]

    def dev_loader(self) -> DataLoader[Any]:
        parts = [
            self._examples(read_reviews(name, "dev"), name) for name in self.experiment.dev_sets
        ]
        return self._batches([example for part in parts for example in part])

    @staticmethod
    def _batches(examples: list[Example]) -> DataLoader[Any]:
        batches = token_batches([len(example.ids) for example in examples], _DEV_BATCH_TOKENS)
        return DataLoader(examples, batch_sampler=batches, collate_fn=_collate)  # type: ignore[arg-type]

    def loss(self, model: Classifier, batch: ReviewBatch) -> Tensor:
        dropped = torch.rand(batch.ids.shape) < self.experiment.model.piece_dropout
        ids = batch.ids.masked_fill(dropped.to(batch.ids.device), BOS_ID)
        return F.cross_entropy(model(ids, batch.lengths), batch.labels)

    def observe(self, model: Classifier, batch: ReviewBatch) -> Sequence[Any]:
        found = model(batch.ids, batch.lengths).argmax(-1).eq(batch.labels).tolist()
        return list(zip(batch.datasets, found, strict=True))

    def dev_scores(self, observations: Sequence[Any]) -> dict[str, float]:
        """Accuracy of each set, and their mean as the score: small sets count as much."""
        by_set: defaultdict[str, list[bool]] = defaultdict(list)
        for dataset, right in observations:
            by_set[dataset].append(right)
        scores = {
            f"accuracy_{name}": 100 * sum(found) / len(found) for name, found in by_set.items()
        }
        return {"score": sum(scores.values()) / len(scores), **scores}

    def calibrate(self, model: Classifier) -> None:
        """Fit the temperature on the dev sets that are drawn from life."""
        names = [name for name in self.experiment.dev_sets if name != OWN_SENTENCES]
        found = [self._dev_logits(model, name) for name in names]
        logits, labels = (torch.cat(part) for part in zip(*found, strict=True))
        model.temperature.fill_(fit_temperature(logits, labels))

    @torch.no_grad()
    def _dev_logits(self, model: Classifier, name: str) -> tuple[Tensor, Tensor]:
        """Logits (rows, labels) and labels (rows,) of a dev set."""
        batches = self._batches(self._examples(read_reviews(name, "dev"), name))
        logits = [model(batch.ids, batch.lengths) for batch in batches]
        return torch.cat(logits), torch.cat([batch.labels for batch in batches])

    def graphs(self, model: Classifier) -> dict[str, Graph]:
        return {"model": classifier_graph(model)}

    def describe(self, model: Classifier) -> Description:
        names = [source.name for source in self.experiment.sources]
        return Description(
            use="Says whether an English review, sentence or phrase is positive or negative.",
            failures="Two labels only: neutral text gets one of them. Irony and sarcasm are often "
            "missed. Trained on product and film reviews; other domains are weaker.",
            labels=LABELS,
            limits=Limits(longest_input=_LONGEST_INPUT),
            text={"lowercase": True},
            vocabulary=VOCABULARY,
            data=tuple(dict.fromkeys([*names, *self.experiment.earlier_data])),
        )

    def parameters(self) -> SentimentParameters:
        return SentimentParameters()

    def dev_texts(self, count: int) -> list[str]:
        sets = self.experiment.dev_sets
        texts = [review.text for name in sets for review in read_reviews(name, "dev")]
        return texts[:: max(1, len(texts) // count)][:count]

    def parity(self, model: Classifier, predictor: Predictor[Any]) -> Parity:
        texts = self.dev_texts(_PARITY_ROWS)
        prepared = [predictor.prepare(text, SentimentParameters()) for text in texts]
        rows = [row for part in prepared for row in part.rows]
        served = np.stack([output["logits"] for output in predictor.run(rows)])
        ids = pad([row.inputs["ids"] for row in rows])
        with torch.no_grad():
            logits = model(ids, torch.tensor([row.length for row in rows])).numpy()
        error = float(np.abs(logits - served).max())
        same = bool((logits.argmax(1) == served.argmax(1)).all())
        return Parity(max_abs_error=error, rows=len(rows), same_answers=same)

    def evaluate(self, predictor: Predictor[Any], split: str) -> list[Measured]:
        names = self.experiment.test_sets if split == "test" else self.experiment.dev_sets
        judged = [judge(predictor, name, split) for name in names]
        return [
            Measured(found.dataset, metric, value, len(found.reviews))
            for found in judged
            for metric, value in (
                ("accuracy", found.accuracy),
                ("calibration_error", found.calibration_error),
            )
        ]

    def report_parts(self, predictor: Predictor[Any]) -> Sequence[Part]:
        judged = [judge(predictor, name, "test") for name in self.experiment.test_sets]
        return [*baseline_parts(judged, self.run), *sentiment_parts(predictor, judged)]

    @cached_property
    def _train_examples(self) -> dict[str, list[Example]]:
        names = [source.name for source in self.experiment.sources]
        return {name: self._examples(read_reviews(name, "train"), name) for name in names}

    def _drawn(self, epoch: int) -> list[Example]:
        """Examples of an epoch, as many of each source as the experiment says."""
        rng = np.random.default_rng([self.experiment.seed, epoch])
        drawn: list[Example] = []
        for source in self.experiment.sources:
            examples = self._train_examples[source.name]
            turns = -(-source.rows // len(examples)) or 1
            order = np.concatenate([rng.permutation(len(examples)) for _ in range(turns)])
            drawn += [examples[i] for i in order[: source.rows or None]]
        composed = compose_reviews(self.experiment.patterns, rng)
        return drawn + self._examples(composed, "patterns")

    def _examples(self, reviews: list[Review], dataset: str) -> list[Example]:
        """Reviews in ids, cut to the training length."""
        pieces = self.subwords.encode([without_controls(review.text) for review in reviews])
        longest = self.experiment.model.max_pieces
        return [
            Example(_cut(found.ids, longest), review.label, dataset)
            for found, review in zip(pieces, reviews, strict=True)
            if found.ids
        ]


def _cut(ids: list[int], longest: int) -> NDArray[np.int64]:
    """Start and end of a long text: the verdict mostly stands last."""
    if len(ids) <= longest:
        return np.array(ids)
    start = longest // 4
    return np.array(ids[:start] + ids[start - longest :])


def _collate(examples: list[Example]) -> ReviewBatch:
    return ReviewBatch(
        pad([example.ids for example in examples]),
        torch.tensor([len(example.ids) for example in examples]),
        torch.tensor([example.label for example in examples]),
        [example.dataset for example in examples],
    )
