"""A forward and a backward language model over one set of word features.

Dai & Le, *Semi-supervised Sequence Learning*, 2015; the two directions as in Peters et al., NAACL
2018. The softmax is tied to the embedding (Press & Wolf, EACL 2017) and sampled.
"""

import math

import torch
from torch import Tensor, nn

from training.config import WordLanguageModelSettings
from training.models.cross_entropy import PiecewiseCrossEntropy
from training.models.recurrent import Recurrent, length_mask
from training.models.words import WordFeatures

_FIRST_WORD = 2
"""Ids below are padding and the unknown word: nothing is to be learnt from guessing them."""


class WordLanguageModel(nn.Module):
    def __init__(self, config: WordLanguageModelSettings, words: int, chars: int) -> None:
        super().__init__()
        self.config = config
        self.features = WordFeatures(config, words, chars)
        self.encoder = Recurrent(self.features.size, config.cell)
        self.project = nn.ModuleList(
            nn.Linear(config.cell.hidden, config.word_size) for _ in range(2)
        )
        self.bias = nn.Parameter(torch.zeros(words))
        self.dropout = nn.Dropout(config.dropout)

    def loss(self, words: Tensor, chars: Tensor, forms: Tensor, lengths: Tensor) -> Tensor:
        """Mean negative log-likelihood (nats) of each word's neighbours, right and left."""
        states, _ = self.encoder(self.dropout(self.features(words, chars, forms)), lengths)
        forward, backward = self.dropout(states).chunk(2, dim=-1)  # (batch, time, hidden)
        guesses = [self.project[0](forward[:, :-1]), self.project[1](backward[:, 1:])]
        targets = torch.stack([words[:, 1:], words[:, :-1]])
        real = length_mask(lengths, words.shape[1])[:, 1:] & (targets >= _FIRST_WORD)
        return self._cross_entropy(torch.stack(guesses)[real], targets[real])

    def _cross_entropy(self, guesses: Tensor, targets: Tensor) -> Tensor:
        """Softmax over the batch's own words and drawn ones, which stand for all the others."""
        count, drawn = len(self.bias), self.config.negatives
        own, positions = torch.unique(targets, return_inverse=True)
        others = torch.randint(_FIRST_WORD, count, (drawn,), device=targets.device)
        others = others[~torch.isin(others, own)]
        candidates = torch.cat([own, others])
        shift = torch.zeros(len(candidates), device=targets.device)
        shift[len(own) :] = math.log(max(1, count - len(own)) / max(1, len(others)))
        loss: Tensor = PiecewiseCrossEntropy.apply(  # type: ignore[no-untyped-call]
            guesses,
            self.features.words.weight[candidates],
            self.bias[candidates] + shift,
            positions,
        )
        return loss
