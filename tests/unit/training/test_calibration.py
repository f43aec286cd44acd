"""Calibration: the temperature undoes what made logits too sure, and moves no answer."""

import pytest
import torch

from training.models.calibration import fit_temperature


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_factor_of_overconfident_logits_is_found(factor: float) -> None:
    torch.manual_seed(0)
    logits = 2 * torch.randn(20_000, 2)
    labels = torch.distributions.Categorical(logits=logits).sample()  # type: ignore[no-untyped-call]
    assert fit_temperature(factor * logits, labels) == pytest.approx(factor, rel=0.1)
