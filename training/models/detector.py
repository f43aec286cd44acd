"""Language detector: characters and their n-grams, recurrent layers, attention pooling."""

import torch
from torch import Tensor, nn

from service.text.detection import GRAM_BUCKETS, GRAM_ORDERS
from training.config import DetectionModel
from training.models.attention import AttentionPooling
from training.models.recurrent import Recurrent, length_mask


class Detector(nn.Module):
    """A score for each language.

    The n-grams around a character are looked up by their hashes (Joulin et al., EACL 2017): they
    remember what endings and short words belong to a language, the layers weigh the evidence.
    """

    def __init__(self, config: DetectionModel, alphabet: int, languages: int) -> None:
        super().__init__()
        self.characters = nn.Embedding(alphabet, config.character_size, padding_idx=0)
        self.grams = nn.Embedding(GRAM_BUCKETS, config.gram_size)
        width = config.character_size + len(GRAM_ORDERS) * config.gram_size
        for embedding in (self.characters, self.grams):
            nn.init.normal_(embedding.weight, std=0.1)
        self.encoder = Recurrent(width, config.cell)
        self.pooling = AttentionPooling(config.cell.width, config.attention_size)
        self.project = nn.Linear(config.cell.width, languages)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, characters: Tensor, grams: Tensor, lengths: Tensor) -> Tensor:
        """Logits (batch, languages) of characters (batch, time), grams (batch, time, orders)."""
        embedded = torch.cat([self.characters(characters), self.grams(grams).flatten(2)], dim=-1)
        states, _ = self.encoder(self.dropout(embedded), lengths)
        pooled, _ = self.pooling(states, length_mask(lengths, characters.shape[1]))
        logits: Tensor = self.project(self.dropout(pooled))
        return logits
