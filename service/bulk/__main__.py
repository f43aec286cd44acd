"""Answer every text of a file: `python -m service.bulk INPUT OUTPUT --task ner`.

INPUT is a .parquet, .csv or .jsonl file, OUTPUT a folder of parts of the same kind with the columns
`answer` and `error` added. Run it again to go on where it was cut off. With --address it runs on
the machines of a Ray cluster, which all see INPUT, OUTPUT and the bundles under the same paths.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from service.bulk.files import UnreadableFile
from service.bulk.job import Job, JobError
from service.bundle import BundleError
from service.cores import usable_cores
from service.settings import ROOT
from service.tasks.registry import PREDICTORS


def main() -> int:
    """Do the job; 2 if it cannot be done as asked, with one line that says why."""
    given = _arguments()
    try:
        job = Job.plan(
            given.input,
            given.output,
            given.bundles,
            given.task,
            given.column,
            given.parameters,
            given.chunk_rows,
            given.device,
        )
        job.begin()
        _run(job, given.address, given.workers)
    except (JobError, UnreadableFile, BundleError, ConnectionError) as error:
        print(f"sluice bulk: {error}", file=sys.stderr)
        return 2
    return 0


def _run(job: Job, address: str | None, workers: int | None) -> None:
    chunks = list(job.chunks())
    missing = [chunk for chunk in chunks if not job.part(chunk).exists()]
    total = sum(chunk.rows for chunk in chunks)
    done = total - sum(chunk.rows for chunk in missing)
    began, refused, written = time.monotonic(), 0, 0
    if missing:
        from service.bulk.cluster import connect, write_parts

        connect(address)
        with tqdm(total=total, initial=done, unit="row", unit_scale=True) as bar:
            for part in write_parts(job, missing, workers):
                bar.update(part.rows)
                refused, written = refused + part.refused, written + part.rows
    job.end()
    rate = written / max(time.monotonic() - began, 1e-9)
    print(
        f"{total} rows in {job.output}: {written} written now ({rate:.0f} rows/s), {done} there "
        f"before, {refused} refused (column `error` says why)"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m service.bulk", description=__doc__)
    add = parser.add_argument
    add("input", type=Path)
    add("output", type=Path)
    add("--task", required=True, choices=sorted(PREDICTORS))
    add("--column", default="text", help="column that holds the text (default: text)")
    add("--parameters", type=_object, default={}, help='such as \'{"tgt_lang": "de"}\'')
    add("--bundles", type=Path, default=ROOT / "exported_models")
    add("--device", choices=("cpu", "cuda"), default="cpu")
    add("--workers", type=_count, help=f"processes (default: one a core; here {usable_cores()})")
    add("--chunk-rows", type=_count, default=1_000, help="rows of a part (default: 1000)")
    add("--address", help="host:port of a Ray cluster (default: this machine alone)")
    return parser.parse_args()


def _object(value: str) -> dict[str, Any]:
    told = json.loads(value)
    if not isinstance(told, dict):
        raise ValueError
    return told


def _count(value: str) -> int:
    count = int(value)
    if count < 1:
        raise ValueError
    return count


if __name__ == "__main__":
    sys.exit(main())
