"""What a task tells the training loop: its data, its model, its loss and its score."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, Self, TypeVar

from torch import Tensor, nn
from torch.utils.data import DataLoader

from service.bundle import DecodingSpec, Limits, Parity
from service.tasks.base import Predictor
from training.config import Experiment
from training.graphs.graph import Graph
from training.quantization import Quantization
from training.reports.parts import Part

Configuration = TypeVar("Configuration", bound=Experiment)
Model = TypeVar("Model", bound=nn.Module)


class Description(NamedTuple):
    """What a bundle's manifest and model card say of the task."""

    use: str
    failures: str
    labels: tuple[str, ...]
    limits: Limits
    text: dict[str, int | float | bool | str]
    vocabulary: str
    """File of the run that the predictor needs beside the graphs."""
    data: tuple[str, ...]
    """Names of the data sets that the weights were trained on."""
    languages: tuple[tuple[str, str], ...] = ()
    decoding: DecodingSpec | None = None
    files: tuple[str, ...] = ()
    """Further files of the run that the predictor needs."""


class Measured(NamedTuple):
    """One figure of an evaluation, in percent."""

    dataset: str
    metric: str
    value: float
    rows: int


class TrainableTask(ABC, Generic[Configuration, Model]):
    """What the loop trains; files that the model needs beside its weights lie in `run`."""

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

    def start(self, model: Model) -> None:
        """Set the first weights of a new run; by default they stay as they were drawn."""

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


class TrainingTask(TrainableTask[Configuration, Model]):
    """A task whose trained model is exported and served."""

    quantization: Quantization = "dynamic"

    def calibrate(self, model: Model) -> None:
        """Fit on dev data what makes the model's probabilities true; by default nothing."""

    @abstractmethod
    def graphs(self, model: Model) -> dict[str, Graph]:
        """The ONNX graphs of a trained model by their roles in the bundle."""

    @abstractmethod
    def describe(self, model: Model) -> Description:
        """What the manifest says beside graphs and figures."""

    @abstractmethod
    def dev_texts(self, count: int) -> list[str]:
        """Real development texts of mixed lengths, as a caller would send them."""

    @abstractmethod
    def parity(self, model: Model, predictor: Predictor[Any]) -> Parity:
        """The torch model against the service's predictor, on one padded batch of real rows."""

    @abstractmethod
    def evaluate(self, predictor: Predictor[Any], split: str) -> list[Measured]:
        """Figures of the served answers on `dev` or `test`."""

    def report_parts(self, predictor: Predictor[Any]) -> Sequence[Part]:
        """Figures, tables and hardest errors of this task for its report page.

        Measured through the served answers, on the sets of `evaluate`. Curves, scores, exports,
        data and configuration are on every page and need not be here.
        """
        return ()

    @abstractmethod
    def parameters(self) -> Any:
        """Request parameters for `dev_texts`."""
