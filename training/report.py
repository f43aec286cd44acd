"""One HTML page a bundle: what was trained, how it went, how good it is, and where it fails."""

import json
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from service.bundle import Bundle, BundleError, Manifest, find_bundles, load_bundle
from service.tasks.registry import open_predictor
from training.config import experiment_of
from training.errors import ConfigurationError, DataError, OutputError
from training.reports.figures import curves
from training.reports.page import index_page, page
from training.reports.parts import Figure, Part, Table
from training.tasks import open_task


def write_report(bundles: Path, runs: Path, output: Path) -> Path:
    """Write `<task>.html` for each bundle and `index.html` below `output`; returns the index.

    Raises DataError for a damaged bundle or missing data, OutputError if `output` cannot be
    written.
    """
    try:
        found = [load_bundle(path) for path in find_bundles(bundles).values()]
    except BundleError as error:
        raise DataError(str(error)) from error
    try:
        output.mkdir(parents=True, exist_ok=True)
        links = [_write_page(bundle, runs, output) for bundle in found]
        index = output / "index.html"
        index.write_text(index_page(links), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{output}: cannot be written ({error.strerror})") from error
    return index


def _write_page(bundle: Bundle, runs: Path, output: Path) -> tuple[str, str, str]:
    """Returns (file, name, first paragraph)."""
    manifest = bundle.manifest
    title = f"{manifest.name} {manifest.version}"
    lead = (
        f"Task {manifest.task}, exported {manifest.created:%Y-%m-%d} from commit "
        f"{manifest.git_commit[:12]}; {manifest.precision.cpu} serves on the CPU."
    )
    parts = [
        *_curves(runs / manifest.name / "tensorboard"),
        _scores(manifest),
        _exports(bundle),
        *_task_parts(bundle, runs),
        _data(manifest),
        _configuration(manifest),
    ]
    file = f"{manifest.task}.html"
    (output / file).write_text(page(title, lead, parts), encoding="utf-8")
    return file, title, lead


def _task_parts(bundle: Bundle, runs: Path) -> list[Part]:
    """The task's own parts; a bundle of an older version, whose settings this one cannot read, says
    so in their place."""
    try:
        experiment = experiment_of(bundle.manifest.training, str(bundle.path))
    except ConfigurationError as error:
        return [Table("Errors and calibration", ("not measured, because",), [(str(error),)])]
    task = open_task(experiment, runs / experiment.name)
    predictor = open_predictor(bundle, "cpu", bundle.manifest.precision.cpu)
    return list(task.report_parts(predictor))


def _curves(folder: Path) -> list[Part]:
    """Training loss and each development score over steps, as far as the run is at hand."""
    if not folder.exists():
        return []
    events = EventAccumulator(str(folder))
    events.Reload()
    series: dict[str, dict[str, list[tuple[float, float]]]] = {"train": {}, "dev": {}}
    for tag in events.Tags()["scalars"]:
        kind, _, name = tag.partition("/")
        if kind in series:
            series[kind][name] = [(point.step, point.value) for point in events.Scalars(tag)]
    return [
        Figure(title, curves(series[kind], y_label=label))
        for kind, title, label in (
            ("train", "Training loss", "loss"),
            ("dev", "Development scores", "score"),
        )
        if series[kind]
    ]


def _scores(manifest: Manifest) -> Table:
    """One row a figure, precisions side by side; the model card has the same numbers."""
    values: dict[tuple[str, str, str, int], dict[str, float]] = {}
    for score in manifest.scores:
        key = (score.dataset, score.split, score.metric, score.rows)
        values.setdefault(key, {})[score.precision] = score.value
    rows = [
        (dataset, split, metric, str(count), _figure(found, "fp32"), _figure(found, "int8"))
        for (dataset, split, metric, count), found in values.items()
    ]
    header = ("data set", "split", "metric", "rows", "fp32", "int8")
    return Table("Scores", header, rows, note=f"{manifest.precision.reason}.")


def _figure(values: dict[str, float], precision: str) -> str:
    return f"{values[precision]:.2f}" if precision in values else "-"


def _exports(bundle: Bundle) -> Table:
    rows = [
        (role, precision, file, f"{bundle.file(file).stat().st_size / 1e6:.2f}")
        for role, graph in bundle.manifest.graphs.items()
        for precision, file in graph.files.items()
    ]
    parity = bundle.manifest.parity
    note = (
        f"Torch and fp32 differ by at most {parity.max_abs_error:.1e} on {parity.rows} rows. The "
        "time of a text alone stands among the scores."
    )
    return Table("Exports", ("graph", "precision", "file", "MB"), rows, note)


def _data(manifest: Manifest) -> Table:
    rows = [(found.name, found.licence, found.attribution) for found in manifest.data]
    return Table("Training data", ("data set", "licence", "attribution"), rows)


def _configuration(manifest: Manifest) -> Table:
    training: dict[str, Any] = manifest.training
    rows = [(key, json.dumps(value, ensure_ascii=False)) for key, value in training.items()]
    note = f"Train it again: make reproduce-{manifest.name}"
    return Table("Configuration", ("setting", "value"), rows, note)
