"""How words are read: an embedding of the form, and a convolution over the characters."""

import torch
from torch import Tensor, nn

from training.config import WordSettings


class CharacterFeatures(nn.Module):
    """A convolution over a word's characters, and the maximum of each filter."""

    def __init__(self, config: WordSettings, chars: int) -> None:
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
        """(words, chars) to (words, filters)."""
        embedded = self.dropout(self.embedding(chars))
        filtered: Tensor = self.convolution(embedded.transpose(1, 2))
        return filtered.amax(-1)


class WordFeatures(nn.Module):
    """Word embedding and character features (Ma & Hovy, ACL 2016), side by side."""

    def __init__(self, config: WordSettings, words: int, chars: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words, config.word_size, padding_idx=0)
        nn.init.uniform_(self.words.weight, -0.1, 0.1)
        self.chars = CharacterFeatures(config, chars)
        self.size = config.word_size + config.char_filters

    def forward(self, words: Tensor, chars: Tensor, forms: Tensor) -> Tensor:
        """(batch, time, size) of words (batch, time).

        chars (forms, chars) holds each spelling of the batch once, forms (batch, time) says which
        is whose: a batch repeats half of its words, and the convolution is the dear part.
        """
        spelled = self.chars(chars)[forms]
        return torch.cat([self.words(words), spelled.to(self.words.weight.dtype)], dim=-1)
