"""The temperature that makes entity scores true, fitted on dev (Guo et al., ICML 2017)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from service.text.spans import tags_to_spans
from training.models.crf import Crf

_GRID = tuple(float(value) for value in np.geomspace(0.7, 3.0, 15))


def fit_tag_temperature(crf: Crf, batches: Sequence[tuple[Tensor, Tensor, Tensor]]) -> float:
    """Of a grid the temperature with the least log loss of entities being right.

    batches: emissions (batch, time, tags), gold tags (batch, time), mask (batch, time).
    """
    losses = []
    for temperature in _GRID:
        crf.temperature.fill_(temperature)
        scored = [pair for batch in batches for pair in _scored(crf, *batch)]
        scores, right = (np.array(column, np.float64) for column in zip(*scored, strict=True))
        chance = np.clip(np.where(right, scores, 1 - scores), 1e-6, 1)
        losses.append(float(-np.log(chance).mean()))
    best = _GRID[int(np.argmin(losses))]
    crf.temperature.fill_(best)
    return best


def _scored(crf: Crf, emissions: Tensor, gold: Tensor, mask: Tensor) -> list[tuple[float, bool]]:
    """Mean marginal of each found entity's tags, as the service scores it, and its truth."""
    found: list[tuple[float, bool]] = []
    marginals = crf.marginals(emissions, mask)
    for row, path in enumerate(crf.viterbi(emissions, mask)):
        chosen = marginals[row, torch.arange(len(path)), torch.tensor(path)]
        truth = tags_to_spans([crf.tags[tag] for tag in gold[row, : len(path)].tolist()])
        for span in tags_to_spans([crf.tags[tag] for tag in path]):
            found.append((float(chosen[span.start : span.end].mean()), span in truth))
    return found
