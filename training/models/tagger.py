"""BiLSTM-CRF over word and character features (Ma & Hovy, ACL 2016; Lample et al. 2016)."""

import torch
from torch import Tensor, nn

from training.config import NerModel
from training.models.crf import Crf
from training.models.recurrent import Recurrent
from training.models.words import WordFeatures


class Tagger(nn.Module):
    """Word features, recurrent layers, a score for each tag, a CRF.

    Corpora disagree about what an entity is. Each convention has a vector that is added to the
    words' features, which is a bias for every gate of the first layer, and an output layer of its
    own; all the rest is shared.
    """

    def __init__(
        self, config: NerModel, words: int, chars: int, tags: list[str], conventions: int
    ) -> None:
        super().__init__()
        self.features = WordFeatures(config, words, chars)
        self.conventions = nn.Embedding(conventions, self.features.size)
        nn.init.zeros_(self.conventions.weight)
        self.encoder = Recurrent(self.features.size, config.cell)
        self.project = nn.Linear(config.cell.width, conventions * len(tags))
        self.crf = Crf(tags)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, words: Tensor, chars: Tensor, forms: Tensor, lengths: Tensor, conventions: Tensor
    ) -> Tensor:
        """Emissions (batch, time, tags), in fp32.

        words and forms (batch, time), chars (forms, chars) as in `WordFeatures`; lengths and
        conventions (batch,).
        """
        features = self.features(words, chars, forms) + self.conventions(conventions)[:, None]
        states, _ = self.encoder(self.dropout(features), lengths)
        scores = self.project(self.dropout(states)).unflatten(-1, (-1, len(self.crf.tags)))
        rows = torch.arange(len(words), device=words.device)
        return scores[rows, :, conventions].float()  # type: ignore[no-any-return]
