"""What a task tells the training loop: its data, its model, its loss and its score."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from torch import Tensor, nn
from torch.utils.data import DataLoader

from training.config import Experiment

Configuration = TypeVar("Configuration", bound=Experiment)
Model = TypeVar("Model", bound=nn.Module)


class TrainingTask(ABC, Generic[Configuration, Model]):
    """One task of one experiment; files that the model needs beside its weights lie in `run`."""

    def __init__(self, experiment: Configuration, run: Path) -> None:
        self.experiment = experiment
        self.run = run

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        """Shared, not copied: averaging the weights deep-copies the module that holds the task."""
        return self

    @abstractmethod
    def learn_vocabularies(self) -> None:
        """Write the vocabulary files of this run, from training data alone."""

    @abstractmethod
    def build_model(self) -> Model:
        """The untrained model; reads the vocabulary files of the run."""

    @abstractmethod
    def train_loader(self, epoch: int) -> DataLoader[Any]:
        """Batches of one epoch: a function of the seed and `epoch`."""

    @abstractmethod
    def dev_loader(self) -> DataLoader[Any]:
        """Batches of the development data."""

    @abstractmethod
    def loss(self, model: Model, batch: Any) -> Tensor:
        """Training loss of a batch (scalar)."""

    @abstractmethod
    def observe(self, model: Model, batch: Any) -> Sequence[Any]:
        """What the model answers to a development batch, with what `dev_scores` needs of it."""

    @abstractmethod
    def dev_scores(self, observations: Sequence[Any]) -> dict[str, float]:
        """Named scores in percent; `score` is the one that chooses the checkpoint."""
