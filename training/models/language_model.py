"""Two language models over shared embeddings: one reads forward, one backward (SA-LSTM's idea of
pretraining a classifier's recurrent layer on unlabelled text: Dai & Le, NIPS 2015)."""

import math

import torch
from torch import Tensor, nn

from training.config import LanguageModelSettings
from training.models.cross_entropy import PiecewiseCrossEntropy
from training.models.recurrent import Recurrent


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
        forward = self.outputs[0](forward[:, :-1]).flatten(0, 1)
        backward = self.outputs[1](backward[:, 1:]).flatten(0, 1)
        hidden = torch.cat([forward, backward])
        gold = torch.cat([ids[:, 1:].flatten(), ids[:, :-1].flatten()])
        words, offsets = self._candidates(ids)
        place = torch.zeros(len(self.bias), dtype=torch.int64, device=ids.device)
        place[words] = torch.arange(len(words), device=ids.device)
        weight, bias = self.embedding.weight[words], self.bias[words] + offsets
        mean: Tensor = PiecewiseCrossEntropy.apply(hidden, weight, bias, place[gold])  # type: ignore[no-untyped-call]
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
