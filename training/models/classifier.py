"""Recurrent classifier with attention pooling (Yang et al., NAACL 2016)."""

import torch
from torch import Tensor, nn

from training.config import SentimentModel
from training.models.attention import AttentionPooling
from training.models.recurrent import Recurrent, length_mask


class Classifier(nn.Module):
    """Sub-word embedding, recurrent layers, attention pooling, a score for each label."""

    def __init__(self, config: SentimentModel, vocabulary: int, labels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, config.embedding_size, padding_idx=0)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.encoder = Recurrent(config.embedding_size, config.cell)
        self.pooling = AttentionPooling(config.cell.width, config.attention_size)
        self.project = nn.Linear(config.cell.width, labels)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits (batch, labels) of ids (batch, time)."""
        states, _ = self.encoder(self.dropout(self.embedding(ids)), lengths)
        pooled, _ = self.pooling(states, length_mask(lengths, ids.shape[1]))
        logits: Tensor = self.project(self.dropout(pooled))
        return logits

    @torch.no_grad()
    def probabilities(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """(batch, labels)"""
        return torch.softmax(self(ids, lengths), dim=-1)
