"""Parts made side by side with Ray Data: on this machine, or on the machines of a cluster.

What travels is the job and the numbers of a chunk; each worker reads and writes by itself, so that
memory is a chunk's, whatever the size of the input.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import ray
from ray.data import DataContext

from service.bulk.files import Chunk, UnreadableFile
from service.bulk.job import Job, PartWriter
from service.settings import ROOT

_MAX_BLOCKS = 2_000
"""Ray keeps some kilobytes for each block; above this a block has more than one chunk."""


class Written(NamedTuple):
    """A part that was written."""

    rows: int
    refused: int


def connect(address: str | None) -> None:
    """Use the cluster at `address` (host:port), or start one on this machine. ConnectionError."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
    one_thread = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    local: dict[str, Any] = {"include_dashboard": False} if address is None else {}
    ray.init(
        address=address,
        log_to_driver=False,
        logging_level=logging.ERROR,
        configure_logging=True,
        runtime_env={"env_vars": one_thread},
        **local,
    )
    context = DataContext.get_current()
    context.enable_progress_bars = False
    # It tells of its own statistics that came too late; what fails the job is raised.
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)


def write_parts(job: Job, chunks: Sequence[Chunk], workers: int | None) -> Iterator[Written]:
    """Write a part for each chunk, in no order, with `workers` processes (None: one a core).

    UnreadableFile for a chunk that is not what its file's name says; other parts are kept.
    """
    resources = ray.cluster_resources()
    unit = "GPU" if job.device == "cuda" else "CPU"
    size = max(1, min(workers or int(resources.get(unit, 1)), len(chunks)))
    items = ray.data.from_items(
        [chunk._asdict() for chunk in chunks], override_num_blocks=min(len(chunks), _MAX_BLOCKS)
    )
    written = items.map(
        _Worker,
        fn_constructor_args=(job,),
        compute=ray.data.ActorPoolStrategy(size=size),
        num_cpus=1,
        num_gpus=1 if unit == "GPU" else None,
    )
    for row in written.iter_rows():
        if row["fault"]:
            raise UnreadableFile(row["fault"])
        yield Written(row["rows"], row["refused"])


class _Worker:
    """A process of the cluster with the bundle open."""

    def __init__(self, job: Job) -> None:
        self._writer = PartWriter(job)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        chunk = Chunk(**row)
        try:
            return {"rows": chunk.rows, "refused": self._writer.write(chunk), "fault": ""}
        except UnreadableFile as fault:
            return {"rows": 0, "refused": 0, "fault": str(fault)}
