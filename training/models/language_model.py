"""Two language models over shared embeddings: one reads forward, one backward (SA-LSTM's idea of
pretraining a classifier's recurrent layer on unlabelled text: Dai & Le, NIPS 2015)."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from training.config import LanguageModelSettings
from training.models.recurrent import Recurrent

_CHUNK = 512
"""Positions whose logits exist at a time: they then fit the cache, which halves the step."""


class LanguageModel(nn.Module):
    """Embedding and one two-directional recurrent layer, as in `Classifier`, with their softmax."""

    def __init__(self, config: LanguageModelSettings, vocabulary: int) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(vocabulary, config.embedding_size, padding_idx=0)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.encoder = Recurrent(config.embedding_size, config.cell)
        hidden = config.cell.hidden
        self.outputs = nn.ModuleList(nn.Linear(hidden, config.embedding_size) for _ in range(2))
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.dropout = nn.Dropout(config.dropout)

    def loss(self, ids: Tensor) -> Tensor:
        """Mean cross-entropy a sub-word, of both directions, of whole windows (batch, window)."""
        lengths = torch.full((len(ids),), ids.shape[1], device=ids.device)
        states, _ = self.encoder(self.dropout(self.embedding(ids)), lengths)
        forward, backward = self.dropout(states).chunk(2, dim=-1)
        hidden = torch.cat(
            [self.outputs[0](forward[:, :-1]).flatten(0, 1)]
            + [self.outputs[1](backward[:, 1:]).flatten(0, 1)]
        )
        gold = torch.cat([ids[:, 1:].flatten(), ids[:, :-1].flatten()])
        words, offsets = self._candidates(ids)
        place = torch.zeros(len(self.bias), dtype=torch.int64, device=ids.device)
        place[words] = torch.arange(len(words), device=ids.device)
        weight, bias = self.embedding.weight[words], self.bias[words] + offsets
        mean: Tensor = SoftmaxLoss.apply(hidden, weight, bias, place[gold])  # type: ignore[no-untyped-call]
        return mean

    def _candidates(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Words of the softmax and what their logits are raised by.

        In training, those of the batch and a uniform sample of the others, each counted for as
        many as it stands for (Bengio and Senecal 2003; Jean et al., ACL 2015).
        """
        wanted, present = self.config.sampled_softmax, torch.unique(ids)
        others = torch.ones(len(self.bias), dtype=torch.bool, device=ids.device)
        others[present] = False
        absent = others.nonzero()[:, 0]
        if not self.training or not wanted or wanted >= len(absent):
            words = torch.arange(len(self.bias), device=ids.device)
            return words, torch.zeros(len(words), device=ids.device)
        drawn = absent[torch.randperm(len(absent), device=ids.device)[:wanted]]
        offsets = torch.zeros(len(present) + wanted, device=ids.device)
        offsets[len(present) :] = math.log(len(absent) / wanted)
        return torch.cat([present, drawn]), offsets


class SoftmaxLoss(torch.autograd.Function):
    """Mean cross-entropy of a wide softmax, whose logits are never held all at once.

    hidden (positions, size), weight (words, size), bias (words,), gold (positions,). Gradients are
    made with the loss, chunk by chunk; products run in bfloat16 under autocast, sums in float32.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor, gold: Tensor) -> Tensor:
        dtype = hidden.dtype
        narrow = weight.to(dtype)
        grad_hidden = torch.empty_like(hidden)
        grad_weight = torch.zeros_like(weight)
        grad_bias = torch.zeros_like(bias)
        total = torch.zeros((), device=hidden.device)
        for start in range(0, len(hidden), _CHUNK):
            part, target = hidden[start : start + _CHUNK], gold[start : start + _CHUNK, None]
            scores = (part @ narrow.t()).float() + bias
            normalizer = scores.logsumexp(-1, keepdim=True)
            total += (normalizer - scores.gather(1, target)).sum()
            slope = scores.sub_(normalizer).exp_()
            slope.scatter_add_(1, target, torch.full_like(normalizer, -1.0))
            grad_bias += slope.sum(0)
            thin = slope.to(dtype)
            grad_hidden[start : start + _CHUNK] = thin @ narrow
            grad_weight += (thin.t() @ part).float()
        ctx.save_for_backward(grad_hidden, grad_weight, grad_bias)
        return total / len(hidden)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, bias = ctx.saved_tensors
        scale = grads[0] / len(hidden)
        return (hidden * scale).to(hidden.dtype), weight * scale, bias * scale, None
