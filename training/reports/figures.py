"""Drawings of a report as SVG text: no file beside the page, no script, sharp on paper."""

import io
from collections.abc import Mapping, Sequence

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

Points = Sequence[tuple[float, float]]


def curves(series: Mapping[str, Points], *, y_label: str, x_label: str = "step") -> str:
    """A line for each named series of (x, y)."""
    drawing, axes = plt.subplots(figsize=(6, 3), layout="constrained")
    for name, points in series.items():
        axes.plot([x for x, _ in points], [y for _, y in points], label=name, linewidth=1.2)
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.grid(alpha=0.3)
    if len(series) > 1:
        axes.legend(fontsize="small")
    return _svg(drawing)


def bars(values: Mapping[str, float], *, y_label: str) -> str:
    """A bar for each named value, with the value above it."""
    drawing, axes = plt.subplots(figsize=(max(3, 0.8 * len(values)), 3), layout="constrained")
    found = axes.bar(list(values), list(values.values()), color="#4878a8")
    axes.bar_label(found, fmt="%.1f", fontsize="small")
    axes.set(ylabel=y_label)
    axes.margins(y=0.15)
    return _svg(drawing)


def confusion(labels: Sequence[str], counts: NDArray[np.int64]) -> str:
    """counts (labels, labels): rows are the truth, columns the answers."""
    size = 1.2 + 0.6 * len(labels)
    drawing, axes = plt.subplots(figsize=(size + 0.6, size), layout="constrained")
    shares = counts / np.maximum(1, counts.sum(1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=45)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="found", ylabel="true")
    for row, column in np.ndindex(*counts.shape):
        colour = "white" if shares[row, column] > 0.5 else "black"
        text = str(counts[row, column])
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize="small")
    return _svg(drawing)


def reliability(confidences: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 10) -> str:
    """Share of right answers against their mean probability, in bins of equal width."""
    drawing, (top, bottom) = plt.subplots(
        2, 1, figsize=(4, 4.6), height_ratios=[3, 1], sharex=True, layout="constrained"
    )
    places = np.minimum((confidences * bins).astype(int), bins - 1)
    held = [places == i for i in range(bins) if (places == i).any()]
    means = [float(confidences[one].mean()) for one in held]
    top.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1)
    top.plot(means, [float(right[one].mean()) for one in held], marker="o", color="#4878a8")
    top.set(ylabel="share right", xlim=(0, 1), ylim=(0, 1))
    bottom.hist(confidences, bins=bins, range=(0, 1), color="#4878a8")
    bottom.set(xlabel="probability", ylabel="answers")
    return _svg(drawing)


def expected_calibration_error(
    confidences: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 10
) -> float:
    """Mean gap of probability and share of right answers, by bin, weighted by answers (0 to 1).

    Naeini et al., AAAI 2015; bins of equal width.
    """
    if not len(confidences):
        return 0.0
    places = np.minimum((confidences * bins).astype(int), bins - 1)
    gaps = [
        abs(confidences[places == i].mean() - right[places == i].mean()) * (places == i).sum()
        for i in range(bins)
        if (places == i).any()
    ]
    return float(sum(gaps) / len(confidences))


def _svg(drawing: Drawing) -> str:
    """The drawing as one `<svg>` element; the same drawing gives the same text."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "sluice", "svg.fonttype": "none"}):
        drawing.savefig(buffer, format="svg", metadata={"Date": None})
    plt.close(drawing)
    text = buffer.getvalue()
    return text[text.index("<svg") :]
