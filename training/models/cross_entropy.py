"""Cross-entropy over many classes in pieces that stay in the processor's cache.

On the CPU the usual chain (product, sum, log-softmax, and their gradients) writes the whole matrix
of scores to memory six times and costs more than the recurrent layers; here it is never whole.
"""

from typing import Any

import torch
from torch import Tensor

_ROWS_OF_CPU, _ROWS_OF_GPU = 256, 8192


def _pieces(rows: Tensor) -> list[Tensor]:
    count = _ROWS_OF_CPU if rows.device.type == "cpu" else _ROWS_OF_GPU
    return [rows[start : start + count] for start in range(0, len(rows), count)]


class PiecewiseCrossEntropy(torch.autograd.Function):
    """Mean of -log softmax(guesses @ weight.T + bias)[target].

    guesses (rows, size), weight (classes, size), bias (classes,), targets (rows,). The gradients
    are found on the way forward, where the probabilities are at hand.
    """

    @staticmethod
    def forward(ctx: Any, guesses: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
        weight = weight.to(guesses.dtype)
        pulls, weight_sum = [], torch.zeros(weight.shape, device=weight.device)
        bias_sum, loss = torch.zeros_like(bias), torch.zeros((), device=weight.device)
        for rows, wanted in zip(_pieces(guesses), _pieces(targets), strict=True):
            scores = (rows @ weight.t()).float().add_(bias)
            at = torch.arange(len(rows), device=rows.device), wanted
            highest = scores.amax(1, keepdim=True)
            scores = scores.sub_(highest)
            right = scores[at]
            shares = scores.exp_()
            totals = shares.sum(1, keepdim=True)
            loss += (totals.log()[:, 0] - right).sum()
            shares.div_(totals * len(guesses))
            shares[at] -= 1 / len(guesses)
            bias_sum += shares.sum(0)
            small = shares.to(guesses.dtype)
            pulls.append(small @ weight)
            weight_sum += small.t() @ rows
        ctx.save_for_backward(torch.cat(pulls), weight_sum, bias_sum)
        return loss / len(guesses)

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        pull, weight, bias = ctx.saved_tensors
        grad = outputs[0]
        return pull * grad, weight * grad, bias * grad, None
