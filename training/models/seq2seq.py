"""Encoder-decoder with attention over a shared sub-word vocabulary (Luong et al., EMNLP 2015)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from service.text.subwords import BOS_ID, EOS_ID, PAD_ID
from training.config import Seq2SeqModel
from training.models.attention import GeneralAttention
from training.models.recurrent import Recurrent, length_mask


class Seq2Seq(nn.Module):
    """Bidirectional encoder, recurrent decoder, tied embeddings, no input feeding.

    Without input feeding (Luong, section 3.3) the decoder's recurrence does not depend on its
    attention, so that teacher forcing runs as one fused call: a quarter faster in training.
    """

    def __init__(self, config: Seq2SeqModel, vocabulary: int) -> None:
        super().__init__()
        self.config = config
        encoder, decoder = config.encoder, config.decoder
        self.embedding = nn.Embedding(vocabulary, config.embedding_size, padding_idx=PAD_ID)
        nn.init.normal_(self.embedding.weight, std=config.embedding_size**-0.5)
        self.encoder = Recurrent(config.embedding_size, encoder)
        self.states = 2 if decoder.kind == "lstm" else 1
        state_size = decoder.layers * self.states * decoder.hidden
        self.bridge = nn.Linear(encoder.width, state_size)
        layer = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[decoder.kind]
        self.decoder = layer(
            config.embedding_size,
            decoder.hidden,
            decoder.layers,
            batch_first=True,
            dropout=decoder.dropout if decoder.layers > 1 else 0.0,
        )
        self.attention = GeneralAttention(decoder.hidden, encoder.width)
        self.combine = nn.Linear(decoder.hidden + encoder.width, config.embedding_size)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.dropout = nn.Dropout(config.dropout)

    def embed(self, ids: Tensor) -> Tensor:
        """Embeddings scaled to unit variance: tied to the softmax, they are small."""
        embedded: Tensor = self.embedding(ids) * self.config.embedding_size**0.5
        dropped: Tensor = self.dropout(embedded)
        return dropped

    def encode(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Memory (batch, time, width) and the decoder's first state (batch, state)."""
        memory, finals = self.encoder(self.embed(source), lengths)
        return memory, torch.tanh(self.bridge(finals[:, -1]))

    def decode(
        self, previous: Tensor, state: Tensor, memory: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Attentional outputs (batch, steps, embedding) and the next state (batch, state)."""
        hidden, state = self._recur(self.embed(previous), state)
        context, _ = self.attention(hidden, memory, mask)
        output = torch.tanh(self.combine(torch.cat([self.dropout(hidden), context], dim=-1)))
        return self.dropout(output), state

    def logits(self, outputs: Tensor) -> Tensor:
        """(…, embedding) to (…, vocabulary), with the embeddings as weights (Press & Wolf 2017)."""
        return F.linear(outputs, self.embedding.weight, self.bias)

    def _recur(self, embedded: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        layers, hidden = self.config.decoder.layers, self.config.decoder.hidden
        parts = state.view(len(state), self.states, layers, hidden).permute(1, 2, 0, 3).contiguous()
        first = (parts[0], parts[1]) if self.states == 2 else parts[0]
        outputs, last = self.decoder(embedded, first)
        stacked = torch.stack(last) if self.states == 2 else last[None]
        return outputs, stacked.permute(2, 0, 1, 3).reshape(len(state), -1)

    def loss(self, source: Tensor, source_lengths: Tensor, target: Tensor) -> Tensor:
        """Mean label-smoothed cross-entropy a token; `target` is BOS … EOS, padded.

        (1 - e) (lse - logit of the target) + e (lse - mean logit): the same as
        `F.cross_entropy(…, label_smoothing=e)`, but padding never meets the wide softmax and the
        mean needs no pass over it.
        """
        memory, state = self.encode(source, source_lengths)
        mask = length_mask(source_lengths, source.shape[1])
        outputs, _ = self.decode(target[:, :-1], state, memory, mask)
        real = target[:, 1:].ne(PAD_ID)
        outputs, gold = outputs[real], target[:, 1:][real]
        weight, smoothing = self.embedding.weight, self.config.label_smoothing
        chosen = (outputs * weight[gold]).sum(-1) + self.bias[gold]
        mean = outputs @ weight.mean(0) + self.bias.mean()
        normalizer = self._normalizer(outputs, gold)
        return (normalizer - (1 - smoothing) * chosen - smoothing * mean).mean()

    def _normalizer(self, outputs: Tensor, gold: Tensor) -> Tensor:
        """Log of the summed exponentials of all logits (tokens,), or an estimate of it.

        The softmax is half of the work on a CPU. Its sum over the words that the batch does not
        hold may be estimated from a uniform sample of them, each counted for as many as it stands
        for (Jean et al., ACL 2015, with the weights of Bengio and Senecal 2003).
        """
        vocabulary, wanted = len(self.bias), self.config.sampled_softmax
        present = torch.zeros(vocabulary, dtype=torch.bool, device=gold.device)
        present[gold] = True
        absent = (~present).nonzero()[:, 0]
        if not wanted or wanted >= len(absent):
            return torch.logsumexp(self.logits(outputs), dim=-1)
        drawn = absent[torch.randperm(len(absent), device=gold.device)[:wanted]]
        words = torch.cat([present.nonzero()[:, 0], drawn])
        stands_for = torch.zeros(len(words), device=gold.device)
        stands_for[len(words) - wanted :] = math.log(len(absent) / wanted)
        logits = F.linear(outputs, self.embedding.weight[words], self.bias[words] + stands_for)
        return torch.logsumexp(logits, dim=-1)

    @torch.no_grad()
    def greedy(self, source: Tensor, lengths: Tensor, max_steps: int) -> list[list[int]]:
        """Best token at each step, without BOS and EOS, for each row."""
        memory, state = self.encode(source, lengths)
        mask = length_mask(lengths, source.shape[1])
        token = torch.full((len(source), 1), BOS_ID, device=source.device)
        steps = []
        for _ in range(max_steps):
            outputs, state = self.decode(token, state, memory, mask)
            token = self.logits(outputs).argmax(-1)
            steps.append(token)
            if bool(torch.stack(steps).eq(EOS_ID).any(0).all()):
                break
        return [_until_end(row) for row in torch.cat(steps, dim=1).tolist()]

    @torch.no_grad()
    def sequence_scores(self, source: Tensor, lengths: Tensor, targets: list[list[int]]) -> Tensor:
        """Mean log-probability a token (batch,) of targets, given with their end tokens if any."""
        rows = [torch.tensor([BOS_ID, *ids]) for ids in targets]
        target = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD_ID)
        memory, state = self.encode(source, lengths)
        mask = length_mask(lengths, source.shape[1])
        outputs, _ = self.decode(target[:, :-1], state, memory, mask)
        gold = target[:, 1:]
        scores = torch.log_softmax(self.logits(outputs), -1).gather(2, gold[:, :, None])[:, :, 0]
        real = gold.ne(PAD_ID)
        return (scores * real).sum(1) / real.sum(1)


def _until_end(ids: list[int]) -> list[int]:
    return ids[: ids.index(EOS_ID)] if EOS_ID in ids else ids
