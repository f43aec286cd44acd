"""BiLSTM-CRF over word and character features (Ma & Hovy, ACL 2016; Lample et al. 2016)."""

import torch
from torch import Tensor, nn

from training.config import NerModel
from training.models.crf import Crf
from training.models.recurrent import Recurrent


class CharacterFeatures(nn.Module):
    """A convolution over a word's characters, and the maximum of each filter."""

    def __init__(self, config: NerModel, chars: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(chars, config.char_size, padding_idx=0)
        self.convolution = nn.Conv1d(
            config.char_size,
            config.char_filters,
            config.char_window,
            padding=config.char_window // 2,
        )
        self.dropout = nn.Dropout(config.dropout / 2)

    def forward(self, chars: Tensor) -> Tensor:
        """(batch, time, chars) to (batch, time, filters)."""
        batch, time, width = chars.shape
        embedded = self.dropout(self.embedding(chars.view(batch * time, width)))
        filtered: Tensor = self.convolution(embedded.transpose(1, 2))
        return filtered.amax(-1).view(batch, time, -1)


class Tagger(nn.Module):
    """Word embedding and character features, recurrent layers, a score for each tag, a CRF."""

    def __init__(self, config: NerModel, words: int, chars: int, tags: list[str]) -> None:
        super().__init__()
        self.words = nn.Embedding(words, config.word_size, padding_idx=0)
        nn.init.uniform_(self.words.weight, -0.1, 0.1)
        self.chars = CharacterFeatures(config, chars)
        self.encoder = Recurrent(config.word_size + config.char_filters, config.cell)
        self.project = nn.Linear(config.cell.width, len(tags))
        self.crf = Crf(tags)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, words: Tensor, chars: Tensor, lengths: Tensor) -> Tensor:
        """Emissions (batch, time, tags) of words (batch, time), chars (batch, time, chars)."""
        features = torch.cat([self.words(words), self.chars(chars)], dim=-1)
        states, _ = self.encoder(self.dropout(features), lengths)
        emissions: Tensor = self.project(self.dropout(states))
        return emissions
