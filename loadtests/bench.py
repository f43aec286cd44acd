"""Time the shipped bundles in process, on this machine: `make bench`.

For each task and precision: milliseconds for one text alone, and texts a second in batches. The
table names machine and versions; compare figures of one run only.
"""

import platform
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import onnxruntime as ort
from tqdm import tqdm

from service.bundle import find_bundles, load_bundle
from service.tasks.base import Predictor
from service.tasks.registry import PREDICTORS, open_predictor

TEXTS = [
    "How are you today?",
    "Marie Curie was born in Warsaw on 7 November 1867 and moved to Paris in 1891.",
    "It broke after two days, and nobody at the shop wanted to hear about it.",
    "We waited until at last, long after midnight, the train from Hamburg came in.",
] * 16
_REPEATS = 5


def main() -> None:
    print(
        f"{platform.processor() or platform.machine()}, onnxruntime {ort.__version__}, one thread"
    )
    print(f"{'task':12} {'precision':9} {'one text, ms':>12} {'texts/s, 64 at once':>20}")
    cases = [
        (load_bundle(path), precision)
        for path in find_bundles(Path("exported_models")).values()
        for precision in next(iter(load_bundle(path).manifest.graphs.values())).files
    ]
    for bundle, precision in tqdm(cases, leave=False):
        predictor = open_predictor(bundle, "cpu", precision)
        alone, together = _time(predictor)
        line = f"{bundle.manifest.task:12} {precision:9} {1000 * alone:12.2f} {together:20.0f}"
        tqdm.write(line)


def _time(predictor: Predictor[Any]) -> tuple[float, float]:
    """Seconds of one text alone (median), texts a second of all together (best of some)."""
    task = predictor.bundle.manifest.task
    given: dict[str, object] = {"tgt_lang": "de", "num_beams": 1} if task == "translation" else {}
    parameters = msgspec.convert(given, PREDICTORS[task].parameters)
    predictor.predict(TEXTS, parameters)
    alone = [_seconds(partial(predictor.predict, [text], parameters)) for text in TEXTS]
    together = [_seconds(partial(predictor.predict, TEXTS, parameters)) for _ in range(_REPEATS)]
    return statistics.median(alone), len(TEXTS) / min(together)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
