"""Find the best setting of each peer: `python -m loadtests.tune`.

Each setting of `contenders.py` is served once a round and loaded with 128 connections; the median
of its rounds counts. `results/tuning.json` keeps all that was tried, and the benchmark takes the
best of each peer from there.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import msgspec
from tqdm import tqdm

from loadtests.contenders import PEERS, Choice, Contender, is_installed, serving_peer
from loadtests.machine import Machine, describe
from loadtests.processes import ServerFailed
from loadtests.texts import ROOT, mixed_texts, write_bodies
from loadtests.wrk import closed_loop

RESULTS = ROOT / "loadtests" / "results"
TUNING = RESULTS / "tuning.json"


class Trial(msgspec.Struct):
    """One setting of a peer, with its requests a second (128 connections) in each round."""

    peer: str
    settings: Choice
    per_second: list[float] = []
    failure: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.per_second) if self.per_second else 0.0


class Tuning(msgspec.Struct, frozen=True):
    machine: Machine
    command: str
    trials: list[Trial]

    def best(self) -> dict[str, Choice]:
        """The best setting of each peer, by name."""
        ranked = sorted(self.trials, key=lambda trial: trial.median)
        return {trial.peer: trial.settings for trial in ranked if trial.per_second}


def read_tuning() -> Tuning | None:
    """What was found before, if anything."""
    return msgspec.json.decode(TUNING.read_bytes(), type=Tuning) if TUNING.is_file() else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv/peers")
    parser.add_argument("--seconds", type=float, default=2, help="of load for each trial")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", help="the name of one peer")
    given = parser.parse_args()
    peers = [p for p in PEERS if given.only in (None, p.name) and len(p.choices) > 1]
    trials = {(p.name, str(c)): Trial(p.name, c) for p in peers for c in p.choices}
    for _ in range(given.rounds):
        for peer in tqdm([p for p in peers if is_installed(p, given.environments)]):
            for choice in peer.choices:
                _try(peer, choice, trials[peer.name, str(choice)], given)
    _write(list(trials.values()), f"loadtests.tune --seconds {given.seconds:g}")


def _try(peer: Contender, choice: Choice, trial: Trial, given: argparse.Namespace) -> None:
    texts, _ = mixed_texts()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bodies = write_bodies(folder / "bodies.txt", texts, peer.body)
        try:
            with serving_peer(peer, choice, given.environments, folder) as server:
                closed_loop(server, bodies, 32, 1)
                load = closed_loop(server, bodies, 128, given.seconds)
                trial.per_second.append(round(load.per_second, 1))
        except (ServerFailed, RuntimeError) as error:
            trial.failure = str(error)
    tqdm.write(f"{peer.name} {choice}: {trial.per_second} {trial.failure}")


def _write(trials: list[Trial], command: str) -> None:
    """Trials of peers that were not run this time are kept."""
    before = read_tuning()
    tried = {trial.peer for trial in trials if trial.per_second or trial.failure}
    kept = [trial for trial in before.trials if trial.peer not in tried] if before else []
    new = [trial for trial in trials if trial.peer in tried]
    RESULTS.mkdir(exist_ok=True)
    encoded = msgspec.json.encode(Tuning(describe(), command, [*kept, *new]))
    TUNING.write_bytes(msgspec.json.format(encoded, indent=1) + b"\n")


if __name__ == "__main__":
    main()
