"""Padded recurrent layers against packed ones, and the ONNX graphs against both."""

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from training.config import Cell
from training.models.recurrent import Recurrent, length_mask, reverse_by_length

LENGTHS = torch.tensor([7, 1, 4])


def packed_lstm(module: Recurrent, inputs: torch.Tensor) -> torch.Tensor:
    """The same single layer as a bidirectional torch LSTM over a packed batch."""
    forward, backward = list(module.layers[0].children())
    reference = torch.nn.LSTM(5, 6, batch_first=True, bidirectional=True)
    for name, value in forward.named_parameters():
        getattr(reference, name).data.copy_(value)
    for name, value in backward.named_parameters():
        getattr(reference, f"{name}_reverse").data.copy_(value)
    packed = pack_padded_sequence(inputs, LENGTHS, batch_first=True, enforce_sorted=False)
    return pad_packed_sequence(reference(packed)[0], batch_first=True)[0]


def test_padded_layers_equal_packed_ones() -> None:
    torch.manual_seed(1)
    module = Recurrent(5, Cell(kind="lstm", hidden=6))
    inputs = torch.randn(3, 7, 5)
    outputs, _ = module(inputs, LENGTHS)
    real = length_mask(LENGTHS, 7)
    torch.testing.assert_close(outputs[real], packed_lstm(module, inputs)[real])


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_padding_does_not_change_outputs(kind: str) -> None:
    torch.manual_seed(2)
    module = Recurrent(5, Cell.model_validate({"kind": kind, "hidden": 6, "layers": 2})).eval()
    inputs = torch.randn(3, 7, 5)
    together, finals = module(inputs, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        alone, final = module(inputs[row : row + 1, :length], LENGTHS[row : row + 1])
        torch.testing.assert_close(together[row, :length], alone[0])
        torch.testing.assert_close(finals[row], final[0])


def test_reversal_leaves_padding_at_the_end() -> None:
    inputs = torch.arange(6.0).view(1, 6, 1)
    reversed_rows = reverse_by_length(inputs, torch.tensor([4]))
    assert reversed_rows.flatten().tolist() == [3, 2, 1, 0, 4, 5]
