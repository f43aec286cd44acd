"""Recurrent layers over padded batches, equal to packed ones and far faster on the CPU."""

import torch
from torch import Tensor, nn

from training.config import Cell

RNN_LAYERS: dict[str, type[nn.RNN] | type[nn.GRU] | type[nn.LSTM]] = {
    "rnn": nn.RNN,
    "gru": nn.GRU,
    "lstm": nn.LSTM,
}


def length_mask(lengths: Tensor, longest: int) -> Tensor:
    """True at real positions: (batch,) lengths to (batch, time)."""
    return torch.arange(longest, device=lengths.device) < lengths[:, None]


def reverse_by_length(inputs: Tensor, lengths: Tensor) -> Tensor:
    """Reverse the real part of each row; padding stays at the end. (batch, time, features)"""
    steps = torch.arange(inputs.shape[1], device=inputs.device)
    mirrored = lengths[:, None] - 1 - steps
    index = torch.where(mirrored >= 0, mirrored, steps)
    return inputs.gather(1, index[:, :, None].expand_as(inputs))


def rnn_layers(modules: nn.Module) -> list[nn.RNNBase]:
    """The recurrent layers that `modules` holds, in their order."""
    return [module for module in modules.children() if isinstance(module, nn.RNNBase)]


class LockedDropout(nn.Module):
    """Dropout that leaves out the same features at every step of a row (Gal & Ghahramani 2016)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, time, features)"""
        if not self.training or not self.rate:
            return inputs
        mask = inputs.new_empty(inputs.shape[0], 1, inputs.shape[2]).bernoulli_(1 - self.rate)
        return inputs * mask.div_(1 - self.rate)


class Recurrent(nn.Module):
    """A stack of one- or two-directional layers.

    `pack_padded_sequence` is twenty times slower on the CPU, so the backward direction is a
    forward layer over rows reversed by their lengths.
    """

    def __init__(self, input_size: int, cell: Cell) -> None:
        super().__init__()
        self.cell = cell
        self.dropout = LockedDropout(cell.dropout)
        layer = RNN_LAYERS[cell.kind]
        sizes = [input_size] + [cell.width] * (cell.layers - 1)
        self.layers = nn.ModuleList(
            nn.ModuleList(
                layer(size, cell.hidden, batch_first=True) for _ in range(cell.directions)
            )
            for size in sizes
        )

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs (batch, time, width) and each layer's last output (batch, layers, width)."""
        finals = []
        for depth, layer in enumerate(self.layers):
            if depth:
                inputs = self.dropout(inputs)
            inputs, final = self._run(layer, inputs, lengths)
            finals.append(final)
        return inputs, torch.stack(finals, dim=1)

    def _run(self, layer: nn.Module, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        directions = rnn_layers(layer)
        rows, last = torch.arange(len(inputs), device=inputs.device), lengths - 1
        forward, _ = directions[0](inputs)
        if len(directions) == 1:
            return forward, forward[rows, last]
        backward, _ = directions[1](reverse_by_length(inputs, lengths))
        finals = torch.cat([forward[rows, last], backward[rows, last]], dim=-1)
        return torch.cat([forward, reverse_by_length(backward, lengths)], dim=-1), finals
