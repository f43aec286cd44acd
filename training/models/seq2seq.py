"""Encoder-decoder with attention over a shared sub-word vocabulary (Luong et al., EMNLP 2015)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from service.text.subwords import BOS_ID, EOS_ID, PAD_ID
from training.config import Seq2SeqModel
from training.models.attention import AdditiveAttention, Attention, GeneralAttention
from training.models.recurrent import RNN_LAYERS, LockedDropout, Recurrent, length_mask

ATTENTIONS: dict[str, type[GeneralAttention] | type[AdditiveAttention]] = {
    "general": GeneralAttention,
    "additive": AdditiveAttention,
}


class Seq2Seq(nn.Module):
    """Bidirectional encoder, recurrent decoder, tied embeddings.

    The decoder's lowest layer asks, and the layers above it read the answer at every step (GNMT,
    Wu et al. 2016, section 3): unlike with input feeding (Luong, section 3.3), teacher forcing
    runs each layer over all steps as one fused call, and what was attended to is remembered.
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
        layer = RNN_LAYERS[decoder.kind]
        above = [decoder.hidden + encoder.width] * (decoder.layers - 1)
        self.decoder = nn.ModuleList(
            layer(size, decoder.hidden, batch_first=True)
            for size in [config.embedding_size, *above]
        )
        self.attention: Attention = ATTENTIONS[config.attention](decoder.hidden, encoder.width)
        self.combine = nn.Linear(decoder.hidden + encoder.width, config.embedding_size)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.dropout = LockedDropout(config.dropout)

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
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Attentional outputs (batch, steps, embedding), the next state (batch, state) and the
        attention's weights (batch, steps, time).
        """
        parts = state.view(len(state), self.states, -1, self.config.decoder.hidden)
        lowest, *above = self.decoder
        hidden, last = self._run(lowest, self.embed(previous), parts[:, :, 0])
        context, weights = self.attention(hidden, memory, mask)
        states = [last]
        for depth, layer in enumerate(above, start=1):
            joined = torch.cat([self.dropout(hidden), context], dim=-1)
            hidden, last = self._run(layer, joined, parts[:, :, depth])
            states.append(last)
        joined = torch.cat([self.dropout(hidden), context], dim=-1)
        output = torch.tanh(self.combine(joined))
        return self.dropout(output), torch.stack(states, dim=2).flatten(1), weights

    def _run(self, layer: nn.Module, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs (batch, steps, hidden) and last state (batch, parts, hidden) of one layer."""
        first = state.transpose(0, 1)[:, None].contiguous()  # (parts, 1, batch, hidden)
        outputs, last = layer(inputs, (first[0], first[1]) if self.states == 2 else first[0])
        stacked = torch.cat(last) if self.states == 2 else last
        return outputs, stacked.transpose(0, 1)

    def logits(self, outputs: Tensor) -> Tensor:
        """(…, embedding) to (…, vocabulary), with the embeddings as weights (Press & Wolf 2017)."""
        return F.linear(outputs, self.embedding.weight, self.bias)

    def loss(
        self, source: Tensor, source_lengths: Tensor, target: Tensor, real: Tensor | None = None
    ) -> Tensor:
        """Mean label-smoothed cross-entropy a token; `target` is BOS … EOS, padded.

        `real` (tokens,) are the places of the flattened `target[:, 1:]` that are no padding.

        (1 - e) (lse - logit of the target) + e (lse - mean logit): the same as
        `F.cross_entropy(…, label_smoothing=e)`, but padding never meets the wide softmax and the
        mean needs no pass over it.
        """
        memory, state = self.encode(source, source_lengths)
        mask = length_mask(source_lengths, source.shape[1])
        outputs, _, _ = self.decode(target[:, :-1], state, memory, mask)
        gold = target[:, 1:].flatten()
        if real is None:
            real = gold.ne(PAD_ID).nonzero()[:, 0]
        asked = outputs.flatten(0, 1)[real]
        normalizer, chosen = self._scores(asked, gold[real])
        smoothing = self.config.label_smoothing
        mean = asked.float() @ self.embedding.weight.mean(0) + self.bias.mean()
        return (normalizer - (1 - smoothing) * chosen - smoothing * mean).mean()

    def _scores(self, outputs: Tensor, gold: Tensor) -> tuple[Tensor, Tensor]:
        """Log of the summed exponentials of all logits, or an estimate of it, and gold's logits.

        The softmax is half of the work on a CPU, and little on a GPU. On a CPU its sum over the
        words that the batch does not hold may be estimated from a uniform sample of them, each
        counted for as many as it stands for (Jean et al., ACL 2015, with the weights of Bengio and
        Senecal 2003). Both (tokens,).
        """
        vocabulary, wanted = len(self.bias), self.config.sampled_softmax
        if not wanted or gold.is_cuda:
            return _normalizer_and_gold(self.logits(outputs).float(), gold)
        present = torch.zeros(vocabulary, dtype=torch.bool, device=gold.device)
        present[gold] = True
        absent = (~present).nonzero()[:, 0]
        if wanted >= len(absent):
            return _normalizer_and_gold(self.logits(outputs).float(), gold)
        drawn = absent[torch.randperm(len(absent), device=gold.device)[:wanted]]
        words = torch.cat([present.nonzero()[:, 0], drawn])
        stands_for = torch.zeros(len(words), device=gold.device)
        stands_for[len(words) - wanted :] = math.log(len(absent) / wanted)
        logits = F.linear(outputs, self.embedding.weight[words], self.bias[words] + stands_for)
        return _normalizer_and_gold(logits.float(), present.cumsum(0)[gold] - 1)

    @torch.no_grad()
    def greedy(self, source: Tensor, lengths: Tensor, max_steps: int) -> list[list[int]]:
        """Best token at each step, without BOS and EOS, for each row."""
        memory, state = self.encode(source, lengths)
        mask = length_mask(lengths, source.shape[1])
        token = torch.full((len(source), 1), BOS_ID, device=source.device)
        steps = []
        for _ in range(max_steps):
            outputs, state, _ = self.decode(token, state, memory, mask)
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
        outputs, _, _ = self.decode(target[:, :-1], state, memory, mask)
        gold = target[:, 1:]
        scores = torch.log_softmax(self.logits(outputs), -1).gather(2, gold[:, :, None])[:, :, 0]
        real = gold.ne(PAD_ID)
        return (scores * real).sum(1) / real.sum(1)


def _normalizer_and_gold(logits: Tensor, gold: Tensor) -> tuple[Tensor, Tensor]:
    """Log of the summed exponentials of logits (tokens, words), and the logit of `gold` (tokens,).

    By way of log_softmax, which is one pass where logsumexp is four.
    """
    chosen = logits.gather(1, gold[:, None])[:, 0]
    return chosen - torch.log_softmax(logits, -1).gather(1, gold[:, None])[:, 0], chosen


def _until_end(ids: list[int]) -> list[int]:
    return ids[: ids.index(EOS_ID)] if EOS_ID in ids else ids
