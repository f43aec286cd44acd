"""The most that the machine can do: onnxruntime without any server.

Two processes (one a core) tokenise texts, sort them by length, cut batches by a token budget and
run the graph on one thread each. The best budget counts, so that the ceiling is no strawman.
"""

import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime as ort

from loadtests.texts import ROOT, mixed_texts
from service.bundle import Bundle, load_bundle
from service.engine.rows import Row
from service.engine.session import pad_rows
from service.tasks.base import Predictor
from service.tasks.registry import open_predictor

_BUDGETS = (512, 1024, 2048, 4096)
_WINDOW = 1000
"""Texts that are tokenised and sorted together."""


class Ceiling(msgspec.Struct, frozen=True):
    """Rows a second of all processes at the best token budget; milliseconds of one row alone."""

    rows_per_second: float
    budget: int
    one_row_p50_ms: float


def measure(bundle: Path, seconds: float) -> Ceiling:
    """`seconds` are for all budgets together; a process for each core."""
    share = seconds / (len(_BUDGETS) + 1)
    processes = os.cpu_count() or 1
    rates = {budget: _together(bundle, budget, share, processes) for budget in _BUDGETS}
    best = max(rates, key=lambda budget: rates[budget])
    alone_ms = float(_output(_start("alone", bundle, 0, share)))
    return Ceiling(rates[best], best, alone_ms)


def _together(bundle: Path, budget: int, seconds: float, processes: int) -> float:
    started = [_start("batches", bundle, budget, seconds) for _ in range(processes)]
    for process in started:
        _expect(process, "ready")
    for process in started:
        _tell(process)
    return sum(float(_output(process)) for process in started)


def _start(what: str, bundle: Path, budget: int, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "loadtests.ceiling", what, str(bundle), str(budget)]
    process = subprocess.Popen(
        [*command, str(seconds)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if what == "alone":
        _expect(process, "ready")
        _tell(process)
    return process


def _expect(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if line != word:
        raise RuntimeError(f"the ceiling's process said {line!r} instead of {word!r}")


def _tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def _output(process: subprocess.Popen[str]) -> str:
    return process.communicate()[0].strip()


def main() -> None:
    what, folder, budget, seconds = sys.argv[1], Path(sys.argv[2]), *sys.argv[3:5]
    bundle = load_bundle(folder)
    predictor = open_predictor(bundle, "cpu")
    predictor.warm_up(predictor.parameters())
    texts, _ = mixed_texts()
    session = _session(bundle, predictor)
    print("ready", flush=True)
    sys.stdin.readline()
    if what == "alone":
        print(_alone_ms(predictor, texts, float(seconds)))
    else:
        print(_rows_per_second(session, predictor, texts, int(budget), float(seconds)))


def _session(bundle: Bundle, predictor: Predictor[Any]) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    path = bundle.graph("model", predictor.precision)
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _alone_ms(predictor: Predictor[Any], texts: Sequence[str], seconds: float) -> float:
    """Median milliseconds of one text through the predictor: tokens, graph, entities."""
    parameters, spent = predictor.parameters(), list[float]()
    ends = time.perf_counter() + seconds
    for text in itertools.cycle(texts):
        began = time.perf_counter()
        predictor.predict([text], parameters)
        spent.append(time.perf_counter() - began)
        if time.perf_counter() > ends:
            return 1000 * statistics.median(spent)
    raise AssertionError("a cycle does not end")


def _rows_per_second(
    session: ort.InferenceSession,
    predictor: Predictor[Any],
    texts: Sequence[str],
    budget: int,
    seconds: float,
) -> float:
    parameters, done = predictor.parameters(), 0
    began = time.perf_counter()
    for window in itertools.cycle(_windows(texts)):
        prepared = [predictor.prepare(text, parameters) for text in window]
        rows = sorted((row for p in prepared for row in p.rows), key=lambda row: row.length)
        for batch in _batches(rows, budget):
            session.run(None, _feeds(batch))
            done += len(batch)
            if time.perf_counter() - began > seconds:
                return done / (time.perf_counter() - began)
    raise AssertionError("a cycle does not end")


def _windows(texts: Sequence[str]) -> list[Sequence[str]]:
    return [texts[start : start + _WINDOW] for start in range(0, len(texts), _WINDOW)]


def _batches(rows: Sequence[Row], budget: int) -> Iterator[list[Row]]:
    """Rows sorted by length, cut so that rows x longest fits the budget."""
    batch: list[Row] = []
    for row in rows:
        if batch and row.length * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _feeds(rows: Sequence[Row]) -> dict[str, np.ndarray[Any, Any]]:
    padded = {name: pad_rows([row.inputs[name] for row in rows]) for name in rows[0].inputs}
    return {"lengths": np.array([row.length for row in rows], np.int32), **padded}


if __name__ == "__main__":
    main()
