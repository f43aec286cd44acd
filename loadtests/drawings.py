"""Drawings of a benchmark's results, as SVG."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadtests.comparison import Measured
from loadtests.growth import Point
from loadtests.results import Results

_OURS = "#c2410c"
_PEERS = "#64748b"
_DASHES = ("-", "--", "-.", ":")


def draw(results: Results, folder: Path) -> None:
    """throughput.svg, latency.svg and growth.svg."""
    mpl.rcParams.update({"svg.hashsalt": "sluice", "font.size": 9})
    found = results.comparison
    runs = [found.ours, found.mounted, *found.peers]
    served = [run for run in runs if not run.failure]
    _save(_throughput(served, results.ceiling), folder / "throughput.svg")
    _save(_latency(served), folder / "latency.svg")
    _save(_growth(results), folder / "growth.svg")


def _throughput(runs: Sequence[Measured], ceiling: float) -> Figure:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for place, run in enumerate(runs):
        axes.plot(
            [load.connections for load in run.loads],
            [load.per_second for load in run.loads],
            _DASHES[place % len(_DASHES)],
            marker="o",
            color=_OURS if place == 0 else f"C{place}",
            linewidth=2.5 if place == 0 else 1,
            label=run.name,
        )
    axes.axhline(ceiling, color="black", linewidth=0.8, linestyle=":", label="in process")
    axes.set(xscale="log", xlabel="connections", ylabel="requests a second", ylim=(0, None))
    axes.legend(fontsize=7)
    return figure


def _latency(runs: Sequence[Measured]) -> Figure:
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    closed, opened = figure.subplots(1, 2, sharey=True)
    _bars(closed, runs, [run.at(128).p99_ms for run in runs], "p99 ms, 128 connections")
    _bars(opened, runs, [run.open.p99_ms if run.open else 0 for run in runs], "p99 ms, open loop")
    return figure


def _bars(axes: Axes, runs: Sequence[Measured], values: Sequence[float], title: str) -> None:
    names = [run.name for run in runs]
    colors = [_OURS if place == 0 else _PEERS for place in range(len(runs))]
    bars = axes.barh(names, values, color=colors)
    axes.bar_label(bars, fmt="%.0f", fontsize=7, padding=2)
    axes.set(title=title, xscale="log")
    axes.invert_yaxis()


def _growth(results: Results) -> Figure:
    figure = Figure(figsize=(8, 6), layout="constrained")
    curves = {
        "characters of a text": results.growth.characters,
        "connections": results.growth.connections,
        "workers": results.growth.workers,
        "texts of a call": results.growth.inputs,
    }
    for axes, (title, points) in zip(figure.subplots(2, 2).flat, curves.items(), strict=True):
        _curve(axes, title, points)
    return figure


def _curve(axes: Axes, title: str, points: Sequence[Point]) -> None:
    sizes = [point.size for point in points]
    axes.plot(sizes, [point.load.cpu_ms for point in points], "-o", label="CPU ms a request")
    axes.plot(sizes, [point.load.p50_ms for point in points], "--o", label="p50 ms")
    axes.plot(sizes, [point.load.p99_ms for point in points], ":o", label="p99 ms")
    axes.set(xlabel=title, xscale="log", yscale="log")
    axes.legend(fontsize=7)


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None})
