"""Attention over encoder states, and attention pooling."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Attention(nn.Module, ABC):
    """Contexts of decoder states: sums of encoder states, weighted by a score."""

    @abstractmethod
    def scores(self, queries: Tensor, memory: Tensor) -> Tensor:
        """(batch, steps, query) and (batch, time, memory) to (batch, steps, time)."""

    def forward(self, queries: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Contexts (batch, steps, memory) and weights (batch, steps, time).

        queries (batch, steps, query), memory (batch, time, memory), mask (batch, time).
        """
        scores = self.scores(queries, memory)
        weights = torch.softmax(scores.masked_fill(~mask[:, None], float("-inf")), dim=-1)
        return weights @ memory, weights


class GeneralAttention(Attention):
    """Luong's "general" score (Luong et al., EMNLP 2015, eq. 8): query^T W memory."""

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__()
        self.project = nn.Linear(query_size, memory_size, bias=False)

    def scores(self, queries: Tensor, memory: Tensor) -> Tensor:
        projected: Tensor = self.project(queries)
        return projected @ memory.transpose(1, 2)


class AdditiveAttention(Attention):
    """Bahdanau's score (Bahdanau et al., ICLR 2015, A.1.2): v^T tanh(W query + U memory)."""

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__()
        self.project = nn.Linear(query_size, query_size, bias=False)
        self.keys = nn.Linear(memory_size, query_size)
        self.score = nn.Linear(query_size, 1, bias=False)

    def scores(self, queries: Tensor, memory: Tensor) -> Tensor:
        hidden = self.project(queries)[:, :, None] + self.keys(memory)[:, None]
        scored: Tensor = self.score(torch.tanh(hidden))
        return scored.squeeze(-1)


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
