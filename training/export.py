"""From a trained run to a verified bundle: graphs, parity, scores, manifest, model card.

No parity, no bundle: what was written is opened by the service's own predictor and compared with
the torch model on real sentences before the manifest is finished.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from service.bundle import (
    Bundle,
    GraphSpec,
    Manifest,
    Parity,
    Precision,
    PrecisionChoice,
    Score,
    hash_files,
    load_bundle,
    save_manifest,
)
from service.tasks.base import Predictor
from service.tasks.registry import open_predictor
from training.card import model_card
from training.config import AnyExperiment
from training.data.licences import licence_of
from training.errors import OutputError, ParityError
from training.graphs.storage import round_weights, store_weights
from training.loop import load_best
from training.quantization import quantize
from training.tasks.base import Measured, TrainingTask

LARGEST_ERROR = 1e-4
LARGEST_DROP = 0.3
"""Points that int8 may lose on the dev sets and still be shipped."""
LARGEST_FLIPS = 0.001
"""Share of rows that may answer otherwise in company than alone for int8 to be the default."""

_FLIP_ROWS = 2000


class Integers(NamedTuple):
    """What int8 costs and gives, measured on the dev sets."""

    drop: float
    flips: float
    milliseconds: dict[Precision, float]
    """Mean time of a text alone, with all that the service does to it but HTTP."""
    rows: int
    """How many texts were timed."""

    @property
    def speed(self) -> float:
        """fp32 time over int8 time."""
        return self.milliseconds["fp32"] / self.milliseconds["int8"]

    def speeds(self, precisions: Collection[Precision]) -> list[Score]:
        """The times as scores, in milliseconds."""
        return [
            Score(
                dataset="texts alone",
                split="dev",
                metric="milliseconds",
                value=self.milliseconds[precision],
                precision=precision,
                rows=self.rows,
            )
            for precision in precisions
        ]

    @property
    def ships(self) -> bool:
        return self.drop <= LARGEST_DROP

    @property
    def serves(self) -> bool:
        return self.ships and self.flips <= LARGEST_FLIPS and self.speed > 1

    def __str__(self) -> str:
        return (
            f"int8 loses {self.drop:.2f} points on dev, {100 * self.flips:.2f} % of rows answer "
            f"otherwise in a batch than alone, and one row alone is {self.speed:.2f} times as fast"
        )


def export(task: TrainingTask[Any, Any], experiment: AnyExperiment, root: Path) -> Bundle:
    """Write `<root>/<task>/<version>` from the best checkpoint of the task's run.

    Raises ParityError if torch and the service disagree, OutputError if the folder exists or
    cannot be written. An interrupted export leaves nothing behind.
    """
    target = root / experiment.task / experiment.version
    if target.exists():
        raise OutputError(f"{target}: exists already; raise `version` or remove it")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as folder:
            draft = Path(folder) / "bundle"
            draft.mkdir()
            _write(task, experiment, draft)
            draft.rename(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror})") from error
    return load_bundle(target)


def measure_integers(
    task: TrainingTask[Any, Any], exact: Predictor[Any], quantized: Predictor[Any]
) -> Integers:
    """int8 against fp32 on the dev sets."""
    before, after = (_mean(task.evaluate(predictor, "dev")) for predictor in (exact, quantized))
    texts = task.dev_texts(_FLIP_ROWS)
    parameters = task.parameters()
    together = quantized.predict(texts, parameters)
    _, alone = _timed_alone(quantized, texts, parameters)
    sample = texts[: max(1, len(texts) // 5)]
    flips = sum(map(_differs, together, alone)) / len(texts)
    served: dict[Precision, Predictor[Any]] = {"fp32": exact, "int8": quantized}
    milliseconds = {
        name: 1000 * _timed_alone(predictor, sample, parameters)[0] / len(sample)
        for name, predictor in served.items()
    }
    return Integers(before - after, flips, milliseconds, len(sample))


def _write(task: TrainingTask[Any, Any], experiment: AnyExperiment, draft: Path) -> None:
    model = load_best(task)
    round_weights(model)
    task.calibrate(model)
    described = task.describe(model)
    for name in (described.vocabulary, *described.files):
        shutil.copy(task.run / name, draft / name)
    specs = _write_graphs(task, model, draft)
    manifest = _manifest(task, experiment, model, specs)
    exact = _open(draft, manifest, "fp32")
    parity = _check_parity(task, model, exact)
    served: dict[Precision, Predictor[Any]] = {"fp32": exact}
    quantized = _open(draft, manifest, "int8")
    integers = measure_integers(task, exact, quantized)
    if integers.ships:
        choice = PrecisionChoice(cpu="int8" if integers.serves else "fp32", reason=str(integers))
        served["int8"] = quantized
    else:
        choice = PrecisionChoice(cpu="fp32", reason=f"not shipped: {integers}")
        specs = _without_int8(specs, draft)
    scores = [score for name, found in served.items() for score in _scores(task, found, name)]
    scores += integers.speeds(served.keys())
    changes = {"graphs": specs, "precision": choice, "parity": parity, "scores": tuple(scores)}
    manifest = manifest.model_copy(update=changes)
    (draft / "MODEL_CARD.md").write_text(model_card(manifest, described), encoding="utf-8")
    save_manifest(draft, manifest.model_copy(update={"files": hash_files(draft)}))


def _write_graphs(
    task: TrainingTask[Any, Any], model: nn.Module, draft: Path
) -> dict[str, GraphSpec]:
    specs = {}
    for role, graph in task.graphs(model).items():
        names: dict[Precision, str] = {"fp32": f"{role}.onnx", "int8": f"{role}.int8.onnx"}
        graph.save(draft / names["fp32"])
        quantize(draft / names["fp32"], draft / names["int8"], task.quantization)
        specs[role] = graph.spec(names)
    store_weights([draft / name for spec in specs.values() for name in spec.files.values()])
    return specs


def _without_int8(specs: dict[str, GraphSpec], draft: Path) -> dict[str, GraphSpec]:
    for spec in specs.values():
        (draft / spec.files["int8"]).unlink()
    return {
        role: spec.model_copy(update={"files": {"fp32": spec.files["fp32"]}})
        for role, spec in specs.items()
    }


def _manifest(
    task: TrainingTask[Any, Any],
    experiment: AnyExperiment,
    model: nn.Module,
    specs: dict[str, GraphSpec],
) -> Manifest:
    """The manifest as far as it is known before anything has been measured."""
    described = task.describe(model)
    return Manifest(
        schema_version=1,
        task=experiment.task,
        name=experiment.name,
        version=experiment.version,
        created=datetime.now(UTC).replace(microsecond=0),
        git_commit=git_commit(),
        files={},
        graphs=specs,
        precision=PrecisionChoice(cpu="fp32", reason="not measured yet"),
        labels=described.labels,
        languages=described.languages,
        limits=described.limits,
        text=described.text,
        decoding=described.decoding,
        training=experiment.model_dump(mode="json"),
        data=tuple(licence_of(name) for name in described.data),
        scores=(),
        parity=Parity(max_abs_error=float("inf"), rows=0, same_answers=False),
    )


def _open(draft: Path, manifest: Manifest, precision: Precision) -> Predictor[Any]:
    """The service's own predictor over the draft."""
    return open_predictor(Bundle(draft, manifest), "cpu", precision)


def _check_parity(
    task: TrainingTask[Any, Any], model: nn.Module, predictor: Predictor[Any]
) -> Parity:
    parity = task.parity(model, predictor)
    if parity.max_abs_error > LARGEST_ERROR or not parity.same_answers:
        raise ParityError(
            f"torch and ONNX differ by {parity.max_abs_error:.1e} (limit {LARGEST_ERROR:.0e}) "
            f"on {parity.rows} rows, same answers: {parity.same_answers}"
        )
    return parity


def _scores(
    task: TrainingTask[Any, Any], predictor: Predictor[Any], precision: Precision
) -> list[Score]:
    return [
        Score(split="test", precision=precision, **measured._asdict())
        for measured in task.evaluate(predictor, "test")
    ]


def _mean(measured: Sequence[Measured]) -> float:
    """Mean of the first-named metric over its sets."""
    values = [found.value for found in measured if found.metric == measured[0].metric]
    return sum(values) / len(values)


def _timed_alone(
    predictor: Predictor[Any], texts: Sequence[str], parameters: Any
) -> tuple[float, list[Any]]:
    began = time.perf_counter()
    answers = [predictor.predict([text], parameters)[0] for text in texts]
    return time.perf_counter() - began, answers


def _differs(one: Any, other: Any) -> bool:
    """True if two answers say another thing; scores may differ in the last digits."""
    return _said(one) != _said(other)


def _said(answer: Any) -> list[Any]:
    fields = ("entity_group", "label", "translation_text", "transliteration_text", "start", "end")
    return [[getattr(part, name, None) for name in fields] for part in answer]


def git_commit() -> str:
    """The commit of the working tree, or `unknown` outside a repository."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()
