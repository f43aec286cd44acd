"""Pretraining on unlabelled reviews: what a classifier starts from."""

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from service.tasks.sentiment import VOCABULARY
from service.text.characters import without_controls
from service.text.subwords import EOS_ID, Subwords
from training.config import LanguageModelExperiment
from training.data.reviews import read_texts
from training.models.language_model import LanguageModel
from training.tasks.base import TrainableTask

_BATCH_ROWS_OF_DEV = 64
_DEV_WINDOWS = 256


class LanguageModelTask(TrainableTask[LanguageModelExperiment, LanguageModel]):
    """All training texts as one stream, cut into windows; the last of them are for development."""

    def learn_vocabularies(self) -> None:
        size = self.experiment.model.vocabulary
        Subwords.train(self._texts(), size, lowercase=True, rejoin=True).save(self.run / VOCABULARY)

    @cached_property
    def subwords(self) -> Subwords:
        return Subwords.load(self.run / VOCABULARY)

    def build_model(self) -> LanguageModel:
        return LanguageModel(self.experiment.model, self.subwords.size)

    def train_loader(self, epoch: int) -> DataLoader[Any]:
        """One part of a pass over the text; each pass has windows of its own."""
        window, parts = self.experiment.model.window, self.experiment.parts
        turn, part = divmod(epoch, parts)
        rng = np.random.default_rng([self.experiment.seed, turn])
        stream = self._stream[: -_DEV_WINDOWS * window]
        shift = int(rng.integers(window))
        windows = _windows(stream[shift:], window)
        mine = rng.permutation(len(windows))[part::parts]
        rows = max(1, self.experiment.trainer.batch_tokens // window)
        return DataLoader(torch.from_numpy(windows[mine]), batch_size=rows, drop_last=True)  # type: ignore[arg-type]

    def dev_loader(self) -> DataLoader[Any]:
        window = self.experiment.model.window
        held_out = _windows(self._stream[-_DEV_WINDOWS * window :], window)
        return DataLoader(torch.from_numpy(held_out), batch_size=_BATCH_ROWS_OF_DEV)  # type: ignore[arg-type]

    def loss(self, model: LanguageModel, batch: Tensor) -> Tensor:
        return model.loss(batch)

    def observe(self, model: LanguageModel, batch: Tensor) -> Sequence[Any]:
        return [float(model.loss(batch))] * len(batch)

    def dev_scores(self, observations: Sequence[Any]) -> dict[str, float]:
        """The score is the negative perplexity a sub-word, so that more is better."""
        return {"score": -math.exp(sum(observations) / len(observations))}

    def _texts(self) -> Iterator[str]:
        """Training texts, the same ones in the same shuffled order each time."""
        texts = [text for name in self.experiment.sources for text in read_texts(name)]
        for place in np.random.default_rng(self.experiment.seed).permutation(len(texts)):
            yield without_controls(texts[place])

    @cached_property
    def _stream(self) -> NDArray[np.int64]:
        """Ids of all texts, an end mark behind each."""
        pieces = self.subwords.encode(list(self._texts()))
        return np.fromiter((i for found in pieces for i in (*found.ids, EOS_ID)), np.int64)


def _windows(stream: NDArray[np.int64], window: int) -> NDArray[np.int64]:
    """(windows, window); what is left over at the end is dropped."""
    count = len(stream) // window
    return stream[: count * window].reshape(count, window)
