"""Attention over encoder states, and attention pooling."""

import torch
from torch import Tensor, nn


class GeneralAttention(nn.Module):
    """Luong's "general" score (Luong et al., EMNLP 2015, eq. 8): query^T W memory."""

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__()
        self.project = nn.Linear(query_size, memory_size, bias=False)

    def forward(self, queries: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Contexts (batch, steps, memory) and weights (batch, steps, time).

        queries (batch, steps, query), memory (batch, time, memory), mask (batch, time).
        """
        scores = self.project(queries) @ memory.transpose(1, 2)
        weights = torch.softmax(scores.masked_fill(~mask[:, None], float("-inf")), dim=-1)
        return weights @ memory, weights


class AttentionPooling(nn.Module):
    """One vector per row: states weighted by a learned score (Yang et al., NAACL 2016, eq. 5-7)."""

    def __init__(self, size: int, attention_size: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(size, attention_size)
        self.score = nn.Linear(attention_size, 1, bias=False)

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, time, size) and (batch, time) to (batch, size) and weights (batch, time)."""
        scores = self.score(torch.tanh(self.hidden(states))).squeeze(-1)
        weights = torch.softmax(scores.masked_fill(~mask, float("-inf")), dim=-1)
        return (weights[:, None] @ states).squeeze(1), weights
