"""The temperature of a classifier's probabilities."""

import math

import torch

from training.models.calibration import fit_temperature


def test_rows_that_are_all_right_leave_the_temperature_finite() -> None:
    logits = torch.tensor([[9.0, -9.0], [-9.0, 9.0]] * 20)
    labels = torch.tensor([0, 1] * 20)
    temperature = fit_temperature(logits, labels)
    assert math.isfinite(temperature)
    assert 0.05 < temperature < 20


def test_overconfident_logits_are_cooled() -> None:
    logits = torch.tensor([[5.0, -5.0]] * 10)
    labels = torch.tensor([0] * 7 + [1] * 3)
    assert fit_temperature(logits, labels) > 2
