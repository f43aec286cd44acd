"""Recurrent classifier with pooled states (attention: Yang et al., NAACL 2016)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from training.config import SentimentModel
from training.models.attention import AttentionPooling
from training.models.recurrent import Recurrent, length_mask

MASKED = -1e9


class Classifier(nn.Module):
    """Sub-word embedding, recurrent layers, pooling, a score for each label.

    `temperature` divides the logits (Guo et al., ICML 2017): 1 in training, fitted afterwards.
    """

    temperature: Tensor

    def __init__(self, config: SentimentModel, vocabulary: int, labels: int) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(vocabulary, config.embedding_size, padding_idx=0)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.encoder = Recurrent(config.embedding_size, config.cell)
        self.pooling = AttentionPooling(config.cell.width, config.attention_size)
        self.project = nn.Linear(config.cell.width * len(config.poolings), labels)
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer("temperature", torch.ones(()))

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits (batch, labels) of ids (batch, time)."""
        states, _ = self.encoder(self.dropout(self.embedding(ids)), lengths)
        pooled = self._pool(states, length_mask(lengths, ids.shape[1]))
        logits: Tensor = self.project(self.dropout(pooled)).float() / self.temperature
        return logits

    def _pool(self, states: Tensor, mask: Tensor) -> Tensor:
        """(batch, time, width) to (batch, poolings * width)."""
        parts: dict[str, Callable[[], Tensor]] = {
            "attention": lambda: self.pooling(states, mask)[0],
            "max": lambda: states.float().masked_fill(~mask[:, :, None], MASKED).amax(1),
            "mean": lambda: (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True),
        }
        return torch.cat([parts[name]() for name in self.config.poolings], dim=-1)
