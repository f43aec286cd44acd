"""A job: what is to be answered with what, which parts are done, and how one part is made.

The output is a folder: `part-00000.parquet` and so on, in the order of the input, `_job.json` with
what made it, and `_SUCCESS` once all is there. A part appears whole or not at all, so that a job
that was cut off goes on with the parts that are missing.
"""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from service.bulk.answers import answer_texts, arrow_type, with_answers
from service.bulk.files import Chunk, column_of, open_records
from service.bundle import find_bundles, load_bundle
from service.engine.session import Device
from service.tasks.base import Parameters
from service.tasks.registry import PREDICTORS, open_predictor

_JOB = "_job.json"
_DONE = "_SUCCESS"
_ADDED = ("answer", "error")


class JobError(Exception):
    """A job that cannot be done as it was asked for: names the value and the fix."""


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One job. Two runs with the same job make the same output."""

    input: str
    input_bytes: int
    output: str
    task: str
    bundle: str
    version: str
    column: str
    parameters: dict[str, Any]
    chunk_rows: int
    device: Device

    @classmethod
    def plan(
        cls,
        source: Path,
        output: Path,
        bundles: Path,
        task: str,
        column: str,
        parameters: dict[str, Any],
        chunk_rows: int,
        device: Device,
    ) -> "Job":
        """A checked job. JobError, UnreadableFile or BundleError says what cannot be."""
        source, output = source.resolve(), output.resolve()
        _check_columns(source, column)
        found = find_bundles(bundles.resolve())
        if task not in found:
            known = ", ".join(sorted(found)) or "none"
            raise JobError(f"--task {task} has no bundle in {bundles}; there are: {known}")
        _parameters(task, parameters)
        bundle = load_bundle(found[task])
        return cls(
            str(source),
            source.stat().st_size,
            str(output),
            task,
            str(bundle.path),
            bundle.manifest.version,
            column,
            parameters,
            chunk_rows,
            device,
        )

    def begin(self) -> None:
        """Make the output folder, or go on with one of this very job. JobError for another's."""
        folder = Path(self.output)
        folder.mkdir(parents=True, exist_ok=True)
        told = folder / _JOB
        if told.exists():
            before = msgspec.json.decode(told.read_bytes())
            now = msgspec.to_builtins(self)
            changed = [name for name in now if now[name] != before.get(name)]
            if changed:
                name = changed[0]
                raise JobError(
                    f"{folder} holds another job ({name} was {before.get(name)!r}, is "
                    f"{now[name]!r}); choose another folder, or remove it"
                )
        elif any(folder.iterdir()):
            raise JobError(f"{folder} is not empty and no job's output; choose another folder")
        told.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=2))

    def chunks(self) -> Iterator[Chunk]:
        """All chunks of the input."""
        return open_records(Path(self.input)).chunks(self.chunk_rows)

    def part(self, chunk: Chunk) -> Path:
        return Path(self.output) / f"part-{chunk.number:05}{Path(self.input).suffix.lower()}"

    def end(self) -> None:
        """Say that all parts are there."""
        (Path(self.output) / _DONE).touch()


class PartWriter:
    """Makes parts of one job, with the bundle open: one in each worker process."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._records = open_records(Path(job.input))
        self._predictor = open_predictor(load_bundle(Path(job.bundle)), job.device)
        self._parameters = _parameters(job.task, job.parameters)
        self._type = arrow_type(self._predictor.answers)

    def write(self, chunk: Chunk) -> int:
        """Answer a chunk and write its part; how many of its texts were refused."""
        table = self._records.read(chunk)
        texts = column_of(table, self._job.column)
        answers = answer_texts(self._predictor, texts, self._parameters)
        part = self._job.part(chunk)
        # Two workers may make the same part when one was believed lost: either is right.
        unfinished = part.with_name(f".{part.name}.{socket.gethostname()}.{os.getpid()}")
        self._records.write(with_answers(table, answers, self._type), unfinished)
        unfinished.replace(part)
        return sum(error is not None for error in answers.errors)


def _check_columns(source: Path, column: str) -> None:
    columns = open_records(source).columns()
    if column not in columns:
        raise JobError(f"--column {column} is not in {source}; it has {', '.join(columns)}")
    taken = [name for name in _ADDED if name in columns]
    if taken:
        raise JobError(f"{source} has a column {taken[0]!r} already, which is ours; rename it")


def _parameters(task: str, given: dict[str, Any]) -> Parameters:
    try:
        told: Parameters = msgspec.convert(given, PREDICTORS[task].parameters)
    except msgspec.ValidationError as error:
        raise JobError(f"--parameters {given} cannot be used for {task}: {error}") from None
    return told
