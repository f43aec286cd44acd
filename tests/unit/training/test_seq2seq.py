"""The translation model: its loss, its greedy search, its scores."""

import pytest
import torch
from torch.nn import functional as F

from service.text.subwords import BOS_ID, EOS_ID, PAD_ID
from training.config import Cell, TranslationModel
from training.models.recurrent import length_mask
from training.models.seq2seq import Seq2Seq

ATTENTIONS = ("general", "additive")

CONFIG = TranslationModel(
    embedding_size=10,
    label_smoothing=0.2,
    encoder=Cell(kind="gru", hidden=6),
    decoder=Cell(kind="lstm", hidden=7, layers=2, bidirectional=False),
)


def model(attention: str = "general") -> Seq2Seq:
    torch.manual_seed(7)
    return Seq2Seq(CONFIG.model_copy(update={"attention": attention}), 30).eval()


def test_loss_equals_label_smoothed_cross_entropy() -> None:
    seq2seq = model()
    source, lengths = torch.randint(3, 30, (2, 5)), torch.tensor([5, 3])
    target = torch.tensor([[BOS_ID, 8, 9, EOS_ID], [BOS_ID, 4, EOS_ID, PAD_ID]])
    memory, state = seq2seq.encode(source, lengths)
    outputs, _, _ = seq2seq.decode(target[:, :-1], state, memory, length_mask(lengths, 5))
    logits = seq2seq.logits(outputs).flatten(0, 1)
    expected = F.cross_entropy(
        logits, target[:, 1:].flatten(), ignore_index=PAD_ID, label_smoothing=0.2
    )
    torch.testing.assert_close(seq2seq.loss(source, lengths, target), expected)


def test_a_sampled_softmax_is_right_on_average() -> None:
    seq2seq = model()
    outputs, gold = torch.randn(6, 10), torch.tensor([4, 8, 9, 4, 20, 21])
    normalizer, chosen = seq2seq._scores(outputs, gold)
    seq2seq.config = CONFIG.model_copy(update={"sampled_softmax": 5})
    sampled = [seq2seq._scores(outputs, gold) for _ in range(3000)]
    draws = torch.stack([normalizer.exp() for normalizer, _ in sampled])
    assert draws.std() > 0
    torch.testing.assert_close(draws.mean(0), normalizer.exp(), rtol=0.02, atol=0)
    torch.testing.assert_close(sampled[0][1], chosen)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_steps_one_by_one_equal_one_fused_call(attention: str) -> None:
    seq2seq = model(attention)
    source, lengths = torch.randint(3, 30, (2, 5)), torch.tensor([5, 3])
    memory, state = seq2seq.encode(source, lengths)
    mask, previous = length_mask(lengths, 5), torch.randint(3, 30, (2, 4))
    fused, last, _ = seq2seq.decode(previous, state, memory, mask)
    for step in range(4):
        output, state, _ = seq2seq.decode(previous[:, step : step + 1], state, memory, mask)
        torch.testing.assert_close(output[:, 0], fused[:, step])
    torch.testing.assert_close(state, last)


def test_greedy_search_of_a_padded_row_equals_the_row_alone() -> None:
    seq2seq = model()
    source, lengths = torch.randint(3, 30, (3, 6)), torch.tensor([6, 2, 4])
    together = seq2seq.greedy(source, lengths, 12)
    for row, length in enumerate(lengths.tolist()):
        alone = seq2seq.greedy(source[row : row + 1, :length], lengths[row : row + 1], 12)
        assert alone[0] == together[row]
