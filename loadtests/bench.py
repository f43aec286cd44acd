"""Compare this service with its peers and with the machine: `make bench`.

About 15 minutes; `--quick` runs every part for a second or so, to see that all works. Results go
to `loadtests/results`: results.json, RESULTS.md, and drawings.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from loadtests import ceiling, growth, overload, translation
from loadtests.comparison import Bench, Seconds
from loadtests.contenders import BUNDLES
from loadtests.machine import describe
from loadtests.report import write_report
from loadtests.results import Results, write_results
from loadtests.soak import RESULT as SOAK
from loadtests.soak import Soak
from loadtests.texts import ROOT, mixed_texts
from loadtests.tune import read_tuning
from loadtests.wrk import is_installed
from service.bundle import find_bundles


class Times(msgspec.Struct, frozen=True):
    """Seconds of load of each part."""

    ceiling: float = 10
    contender: Seconds = Seconds(warm=2, closed=5, open=8)
    growth: float = 2
    translation: float = 10
    overload: float = 7


QUICK = Times(2.5, Seconds(1, 1, 1), 1, 1, 1)


def main() -> int:
    given = _arguments()
    if not is_installed():
        print("bench: wrk is not installed; apt-get install wrk", file=sys.stderr)
        return 2
    results = run(QUICK if given.quick else Times(), given.environments)
    results = msgspec.structs.replace(results, note=given.note)
    given.results.mkdir(parents=True, exist_ok=True)
    write_results(results, given.results / "results.json")
    write_report(results, given.results)
    print((given.results / "RESULTS.md").read_text())
    return 0


def run(times: Times, environments: Path) -> Results:
    """All parts, one after another; nothing else should run on the machine."""
    began = time.monotonic()
    texts, source = mixed_texts()
    ner, tuning = find_bundles(BUNDLES)["ner"], read_tuning()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench = Bench(texts, environments, folder, times.contender)
        before = ceiling.measure(ner, times.ceiling)
        compared = bench.compare(tuning.best() if tuning else {})
        grown = growth.measure(texts, times.growth, folder)
        translated = translation.measure(times.translation, folder)
        loaded = overload.measure(texts, times.overload, folder)
        after = ceiling.measure(ner, times.ceiling)
    return Results(
        machine=describe(),
        command=f"python -m loadtests.bench{' --quick' if times == QUICK else ''}",
        minutes=(time.monotonic() - began) / 60,
        texts=f"{len(texts)} texts: {source}",
        ceiling_before=before,
        comparison=compared,
        growth=grown,
        translation=translated,
        overload=loaded,
        ceiling_after=after,
        soak=msgspec.json.decode(SOAK.read_bytes(), type=Soak) if SOAK.is_file() else None,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a second for each part")
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv/peers")
    parser.add_argument("--note", default="", help="what a reader must know of the run")
    parser.add_argument("--results", type=Path, default=ROOT / "loadtests/results")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
