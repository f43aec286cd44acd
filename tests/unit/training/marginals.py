"""Marginals of a CRF by another road than the exported scans take."""

import torch

from training.models.crf import Crf


def marginals(crf: Crf, emissions: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Reference marginals (batch, time, tags): the gradient of the log normalizer."""
    leaf = emissions.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(crf.normalizer(leaf, mask).sum(), leaf)
    return gradient
