"""The learning rate and the average of the weights."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from training.config import load_experiment
from training.loop import TaskModule, _moving_average


def rate(tmp_path: Path, *, step: int, epoch: int, share: float = 0.0, minutes: float = 0) -> float:
    path = tmp_path / "tiny.yaml"
    path.write_text(
        "task: ner\nname: tiny\nsources: [{name: conll}]\n"
        "trainer: {max_epochs: 10, max_minutes: 20}\n"
        "optimizer: {warmup_steps: 100, decay_epochs: 4}\n"
    )
    module: Any = SimpleNamespace(
        task=SimpleNamespace(experiment=load_experiment(path)),
        current_epoch=epoch,
        _epoch_share=share,
        _began=time.monotonic() - 60 * minutes,
    )
    module._progress = lambda: TaskModule._progress(module)
    return TaskModule._rate(module, step)


def test_the_rate_rises_over_the_first_steps(tmp_path: Path) -> None:
    assert [rate(tmp_path, step=s, epoch=0) for s in (0, 49, 99, 500)] == [0.01, 0.5, 1.0, 1.0]


def test_the_rate_falls_over_the_last_epochs(tmp_path: Path) -> None:
    rates = [rate(tmp_path, step=500, epoch=epoch) for epoch in range(5, 10)]
    assert rates == pytest.approx([1.0, 1.0, 0.75, 0.5, 0.25])
    assert rate(tmp_path, step=500, epoch=9, share=0.5) == pytest.approx(0.125)


def test_the_rate_has_fallen_when_the_time_is_over(tmp_path: Path) -> None:
    rates = [rate(tmp_path, step=500, epoch=2, minutes=found) for found in (10, 16, 18, 20)]
    assert rates == pytest.approx([1.0, 0.5, 0.25, 0.01], abs=0.001)


def test_the_average_forgets_the_untrained_weights() -> None:
    average = _moving_average(0.999)
    weights = torch.tensor(100.0)
    for count in range(200):
        weights = average(weights, torch.tensor(0.0), count)
    assert abs(float(weights)) < 1e-3
