"""Calibration of a translation bundle: from what the search knows to the chrF to be expected."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sacrebleu
from numpy.typing import NDArray

from service.bundle import Bundle, BundleError, hash_files, load_bundle, save_manifest
from service.tasks.quality import FEATURES, Evidence, Quality
from service.tasks.registry import open_predictor
from service.tasks.translation import QUALITY, TranslationParameters, TranslationPredictor
from training.config import TranslationExperiment, load_experiment
from training.errors import ConfigurationError, DataError
from training.tasks.translation import Direction, bleu, chrf, directions

_ROUNDS = 25
_RIDGE = 1e-3

Floats = NDArray[np.float64]


class Judged(NamedTuple):
    """A translated sentence with its references, and its sentence chrF (0 to 1)."""

    direction: str
    text: str
    references: tuple[str, ...]
    evidence: Evidence
    chrf: float


class Correlation(NamedTuple):
    """How well quality tells chrF, sentence by sentence, over the rows of a direction or of all."""

    direction: str
    pearson: float
    spearman: float
    rows: int


class Quarter(NamedTuple):
    """The rows of one quarter by quality, worst first, with their corpus scores."""

    quality: float
    bleu: float
    chrf: float
    rows: int


def calibrate(experiment: Path, bundles: Path, rows: int) -> Iterator[str]:
    """Fit the quality of a bundle on dev, write it into the bundle, and tell how good it is.

    Yields lines: what the fit weighs, then correlations and scores by quality on test, of at most
    `rows` sentences of each direction.
    """
    settings, predictor = open_translation(experiment, bundles)
    quality = fit(judge(predictor, settings, "dev", rows))
    write_quality(predictor.bundle, quality)
    yield "weights: " + ", ".join(
        f"{name} {weight:+.3f}" for name, weight in zip(FEATURES, quality.weights, strict=True)
    )
    judged = judge(predictor, settings, "test", rows)
    yield "correlation with sentence chrF on test"
    for found in correlations(quality, judged):
        told = f"Pearson {found.pearson:.3f}  Spearman {found.spearman:.3f}"
        yield f"  {found.direction:6} {told}  {found.rows} rows"
    yield "corpus scores by quarters of quality on test"
    for quarter in quarters(quality, judged):
        scores = f"BLEU {quarter.bleu:5.1f}  chrF {quarter.chrf:5.1f}"
        yield f"  quality {quarter.quality:.2f}  {scores}  {quarter.rows} rows"


def open_translation(
    experiment: Path, bundles: Path
) -> tuple[TranslationExperiment, TranslationPredictor]:
    """A translation experiment and the predictor of its bundle.

    Raises ConfigurationError for another task, DataError for a missing or damaged bundle.
    """
    settings = load_experiment(experiment)
    if not isinstance(settings, TranslationExperiment):
        raise ConfigurationError(f"{experiment}: task: is {settings.task!r}, not 'translation'")
    try:
        bundle = load_bundle(bundles / settings.task / settings.version)
    except BundleError as error:
        raise DataError(str(error)) from error
    predictor = open_predictor(bundle, "cpu")
    assert isinstance(predictor, TranslationPredictor)
    return settings, predictor


def judge(
    predictor: TranslationPredictor, experiment: TranslationExperiment, split: str, most: int
) -> list[Judged]:
    """Translations of at most `most` rows of each direction that are one sentence."""
    found = []
    for direction in directions(experiment):
        found += _judge(predictor, direction, split, most)
    return found


def fit(judged: Sequence[Judged]) -> Quality:
    """Logistic regression on chrF by Newton's method (soft targets, a little ridge)."""
    features = np.array([row.evidence.features() for row in judged])
    target = np.array([row.chrf for row in judged])
    centre, scale = features.mean(0), features.std(0) + 1e-9
    design = np.column_stack([(features - centre) / scale, np.ones(len(features))])
    weights = np.zeros(len(FEATURES) + 1)
    for _ in range(_ROUNDS):
        mean = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (mean - target) + _RIDGE * weights
        curvature = (design.T * (mean * (1 - mean))) @ design + _RIDGE * np.eye(len(weights))
        weights -= np.linalg.solve(curvature, gradient)
    slopes = weights[:-1] / scale
    return Quality(slopes.tolist(), float(weights[-1] - slopes @ centre))


def correlations(quality: Quality, judged: Sequence[Judged]) -> list[Correlation]:
    """Of each direction and, under the name `all`, of all rows."""
    groups: defaultdict[str, list[Judged]] = defaultdict(list)
    for row in judged:
        groups[row.direction].append(row)
    found = []
    for name, rows in [*sorted(groups.items()), ("all", list(judged))]:
        told = np.array([quality.of(row.evidence) for row in rows])
        true = np.array([row.chrf for row in rows])
        pearson, spearman = _pearson(told, true), _pearson(_ranks(told), _ranks(true))
        found.append(Correlation(name, pearson, spearman, len(rows)))
    return found


def quarters(quality: Quality, judged: Sequence[Judged]) -> list[Quarter]:
    """Corpus BLEU and chrF of the rows in four parts by quality, worst first."""
    told = np.array([quality.of(row.evidence) for row in judged])
    found = []
    for part in np.array_split(np.argsort(told, kind="stable"), 4):
        texts = [judged[i].text for i in part]
        references = [judged[i].references for i in part]
        scores = bleu(texts, references), chrf(texts, references)
        found.append(Quarter(float(told[part].mean()), *scores, len(part)))
    return found


def write_quality(bundle: Bundle, quality: Quality) -> None:
    """Put the calibration into the bundle, and its hash into the manifest."""
    quality.save(bundle.file(QUALITY))
    files = hash_files(bundle.path)
    save_manifest(bundle.path, bundle.manifest.model_copy(update={"files": files}))


def _judge(
    predictor: TranslationPredictor, direction: Direction, split: str, most: int
) -> list[Judged]:
    parameters = TranslationParameters(direction.target, direction.source)
    rows = direction.references(split)[:most]
    prepared = [predictor.prepare(row.source, parameters) for row in rows]
    single = [(row, part) for row, part in zip(rows, prepared, strict=True) if len(part.rows) == 1]
    values = predictor.run([part.rows[0] for _, part in single])
    found = []
    for (row, part), hypotheses in zip(single, values, strict=True):
        written = predictor.written(part, [hypotheses])[0][0]
        score = sacrebleu.sentence_chrf(written.text, row.targets).score / 100
        found.append(Judged(direction.name, written.text, row.targets, written.evidence, score))
    return found


def _pearson(first: Floats, second: Floats) -> float:
    if len(first) < 2 or not first.std() or not second.std():
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: Floats) -> Floats:
    """Ranks with ties at their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((ends - counts + ends - 1) / 2)[inverse].astype(np.float64)
