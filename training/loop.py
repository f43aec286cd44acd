"""The training loop: Lightning around a task, with resume, averaging and early stopping."""

import math
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    ModelCheckpoint,
    TQDMProgressBar,
    WeightAveraging,
)
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor
from torch.utils.data import DataLoader

from training.config import Experiment, Trainer
from training.errors import OutputError
from training.tasks.base import TrainableTask

_AVERAGE_EVERY = 5
"""Steps between two updates of the averaged weights."""
_LEAST_RATE = 0.01
"""Share of the learning rate that is left when it has fallen."""


class TaskModule(lightning.LightningModule):
    """A task's model in the shape that Lightning wants."""

    def __init__(self, task: TrainableTask[Any, Any]) -> None:
        super().__init__()
        self.task = task
        self.model = task.build_model()
        self._observations: list[Any] = []
        self._epoch_share = 0.0
        self._began: float | None = None

    def on_train_start(self) -> None:
        self._began = time.monotonic()

    def train_dataloader(self) -> DataLoader[Any]:
        return self.task.train_loader(self.current_epoch)

    def val_dataloader(self) -> DataLoader[Any]:
        return self.task.dev_loader()

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        self._epoch_share = batch_idx / max(1, int(self.trainer.num_training_batches))
        loss = self.task.loss(self.model, batch)
        self.log("train/loss", loss, prog_bar=True, batch_size=1)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._observations += self.task.observe(self.model, batch)

    def on_validation_epoch_end(self) -> None:
        scores = self.task.dev_scores(self._observations)
        self._observations.clear()
        for name, value in scores.items():
            self.log(f"dev/{name}", value, prog_bar=name == "score")

    def configure_optimizers(self) -> Any:
        settings = self.task.experiment.optimizer
        optimizer = torch.optim.AdamW(
            self.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._rate)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _rate(self, step: int) -> float:
        """Linear warm-up over steps; a fall over the last epochs where one is asked for."""
        experiment: Experiment = self.task.experiment
        warmup, decay = experiment.optimizer.warmup_steps, experiment.optimizer.decay_epochs
        left = (1 - self._progress()) * experiment.trainer.max_epochs
        fall = left / decay if decay else 1.0
        return max(_LEAST_RATE, min(1.0, (step + 1) / max(1, warmup), fall))

    def _progress(self) -> float:
        """Share of the run that is over, by epochs or by time."""
        settings: Trainer = self.task.experiment.trainer
        progress = (self.current_epoch + self._epoch_share) / settings.max_epochs
        if settings.max_minutes is None or self._began is None:
            return progress
        return max(progress, (time.monotonic() - self._began) / (60 * settings.max_minutes))


class _MovingAverage(WeightAveraging):
    """Exponential moving average of the weights, beside the model on its device.

    Every few steps are enough, and a GPU has to be waited for each time.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(avg_fn=_moving_average(decay**_AVERAGE_EVERY))

    def should_update(self, step_idx: int | None = None, epoch_idx: int | None = None) -> bool:
        return step_idx is not None and step_idx % _AVERAGE_EVERY == 0

    def on_fit_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        super().on_fit_start(trainer, pl_module)
        if self._average_model is not None:
            self._average_model.to(pl_module.device)


def train(task: TrainableTask[Any, Any]) -> float:
    """Train until the dev score stops rising; resume from the run's last finished epoch.

    Returns the best checkpoint's dev score. OutputError if the run folder cannot be written.
    """
    experiment = task.experiment
    prepare_run(task)
    lightning.seed_everything(experiment.seed, verbose=False)
    torch.set_float32_matmul_precision("high")  # TF32 on GPUs that have it
    if experiment.trainer.threads:
        torch.set_num_threads(experiment.trainer.threads)
    best = ModelCheckpoint(
        task.run, "best", monitor="dev/score", mode="max", enable_version_counter=False
    )
    trainer = _trainer(experiment, task.run, best)
    last = task.run / "last.ckpt"
    module = TaskModule(task)
    if not last.exists():
        task.start(module.model)
    trainer.fit(module, ckpt_path=last if last.exists() else None, weights_only=False)
    score = best.best_model_score
    return float(score) if score is not None else math.nan


def prepare_run(task: TrainableTask[Any, Any]) -> None:
    """Make the run folder and its vocabularies, once."""
    try:
        task.run.mkdir(parents=True, exist_ok=True)
        (task.run / "writable").touch()
        (task.run / "writable").unlink()
    except OSError as error:
        raise OutputError(f"{task.run}: cannot be written ({error.strerror})") from error
    if not (task.run / "vocabularies").exists():
        task.learn_vocabularies()
        (task.run / "vocabularies").touch()


def load_best(task: TrainableTask[Any, Any]) -> torch.nn.Module:
    """The model of the best checkpoint, in evaluation mode. OutputError if there is none."""
    path = task.run / "best.ckpt"
    if not path.exists():
        raise OutputError(f"{path}: no checkpoint; train the experiment first")
    module = TaskModule(task)
    module.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["state_dict"])
    model: torch.nn.Module = module.model
    return model.eval()


def _moving_average(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """Exponential moving average that forgets the untrained weights.

    A fixed decay of 0.9995 would still be two thirds random after 800 steps, so it grows with the
    number of averaged steps n: min(decay, (1 + n) / (10 + n)).
    """

    def average(averaged: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        steps = torch.as_tensor(count)  # stays on its device, so that nothing waits for it
        now = ((1 + steps) / (10 + steps)).clamp(max=decay)
        return averaged * now + current * (1 - now)

    return average


def _trainer(experiment: Experiment, run: Path, best: ModelCheckpoint) -> lightning.Trainer:
    settings, optimizer = experiment.trainer, experiment.optimizer
    callbacks: list[Callback] = [
        best,
        # `save_last` of the other skips epochs without improvement: a kill would lose them.
        ModelCheckpoint(run, "last", enable_version_counter=False),
        EarlyStopping("dev/score", mode="max", patience=settings.patience),
        TQDMProgressBar(refresh_rate=20),
    ]
    if optimizer.average_decay:
        callbacks.append(_MovingAverage(optimizer.average_decay))
    minutes = settings.max_minutes
    return lightning.Trainer(
        max_epochs=settings.max_epochs,
        max_time=None if minutes is None else timedelta(minutes=minutes),
        accelerator=settings.accelerator,
        precision=settings.precision,
        devices=settings.devices,
        num_nodes=settings.num_nodes,
        gradient_clip_val=optimizer.clip_norm,
        callbacks=callbacks,
        logger=TensorBoardLogger(run, name=None, version="tensorboard"),
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        enable_model_summary=False,
        use_distributed_sampler=False,
        log_every_n_steps=20,
    )
