"""A page of all bundles with their scores, and the learning curves of all runs."""

from pathlib import Path

import matplotlib.pyplot as plt
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from service.bundle import BundleError, Manifest, find_bundles, load_bundle
from training.errors import DataError, OutputError

_HEADER = "| task | version | data set | metric | fp32 | int8 | served on the CPU |"


def write_report(bundles: Path, runs: Path, output: Path) -> Path:
    """Write `index.md` and one curve a run below `output`; returns the page.

    Raises DataError for a damaged bundle, OutputError if `output` cannot be written.
    """
    try:
        manifests = [load_bundle(path).manifest for path in find_bundles(bundles).values()]
    except BundleError as error:
        raise DataError(str(error)) from error
    try:
        output.mkdir(parents=True, exist_ok=True)
        curves = [_plot(folder, output) for folder in sorted(runs.glob("*/tensorboard"))]
        page = output / "index.md"
        page.write_text(_page(manifests, curves), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{output}: cannot be written ({error.strerror})") from error
    return page


def _page(manifests: list[Manifest], curves: list[Path]) -> str:
    rows = [row for manifest in manifests for row in _rows(manifest)]
    images = [f"![{curve.stem}]({curve.name})" for curve in curves]
    return "\n".join(["# Models", "", _HEADER, "|" + " --- |" * 7, *rows, "", *images, ""])


def _rows(manifest: Manifest) -> list[str]:
    """One line a figure, fp32 and int8 side by side."""
    values: dict[tuple[str, str], dict[str, float]] = {}
    for score in manifest.scores:
        values.setdefault((score.dataset, score.metric), {})[score.precision] = score.value
    return [
        f"| {manifest.task} | {manifest.version} | {dataset} | {metric} "
        f"| {_figure(found, 'fp32')} | {_figure(found, 'int8')} | {manifest.precision.cpu} |"
        for (dataset, metric), found in values.items()
    ]


def _figure(values: dict[str, float], precision: str) -> str:
    return f"{values[precision]:.1f}" if precision in values else "-"


def _plot(folder: Path, output: Path) -> Path:
    """Training loss and dev score over steps."""
    events = EventAccumulator(str(folder))
    events.Reload()
    figure, (losses, scores) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    for axes, tag in ((losses, "train/loss"), (scores, "dev/score")):
        points = events.Scalars(tag) if tag in events.Tags()["scalars"] else []
        axes.plot([point.step for point in points], [point.value for point in points])
        axes.set(title=tag, xlabel="step")
    path = output / f"{folder.parent.name}.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path
