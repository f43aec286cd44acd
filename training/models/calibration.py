"""One temperature for all logits, fitted on held-out rows (Guo et al., ICML 2017)."""

import torch
from torch import Tensor
from torch.nn import functional as F

_STEPS = 50


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature that makes logits (rows, labels) the likeliest for labels (rows,)."""
    log_temperature = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.LBFGS([log_temperature], max_iter=_STEPS)

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(logits / log_temperature.exp(), labels)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return float(log_temperature.detach().exp())
