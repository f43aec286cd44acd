"""Memory of the service over many mixed requests: `make soak`.

Entities, sentiment, translations, lists, long texts and bad input, by wrk at 32 connections. The
memory that no other process shares (USS) of all processes is weighed after a warm-up and on.
"""

import argparse
import json
import math
import random
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from tqdm import tqdm

from loadtests.contenders import BUNDLES, serving_sluice
from loadtests.machine import Machine, describe
from loadtests.processes import Server
from loadtests.texts import ROOT, mixed_texts, text_of
from loadtests.wrk import closed_loop

RESULT = ROOT / "loadtests" / "results" / "soak.json"
_CONNECTIONS = 32
_SEGMENT_S = 5
_BODIES = 3000
_SEED = 5
_SHARES = {"ner": 60, "sentiment": 22, "translate": 4, "list": 5, "long": 2, "bad": 7}
"""Requests of a hundred."""


class Sample(msgspec.Struct, frozen=True):
    """Memory in bytes after so many requests."""

    requests: int
    memory: int


class Soak(msgspec.Struct, frozen=True):
    """`samples` begin after the warm-up; `refused` counts bad input and other answers not 2xx."""

    machine: Machine
    command: str
    minutes: float
    samples: list[Sample]
    refused: int
    failed: int

    @property
    def requests(self) -> int:
        return self.samples[-1].requests - self.samples[0].requests

    @property
    def growth(self) -> float:
        """Of the mean of the last tenth of the samples over that of the first."""
        tenth = max(1, len(self.samples) // 10)
        first, last = self.samples[:tenth], self.samples[-tenth:]
        return _mean(last) / _mean(first) - 1


def soak(
    server: Server, bodies: Path, warm: int, count: int, minutes: float = math.inf
) -> tuple[list[Sample], int, int]:
    """Samples from `warm` requests on until `count` more; answers not 2xx; failed requests.

    Ends early, but with two samples at least, when `minutes` are over.
    """
    ends = time.monotonic() + 60 * minutes
    samples, done, refused, failed = list[Sample](), 0, 0, 0
    with tqdm(total=warm + count, desc="requests") as progress:
        while len(samples) < 2 or done < samples[0].requests + count:
            load = closed_loop(server, bodies, _CONNECTIONS, _SEGMENT_S)
            done, failed = done + load.requests, failed + load.failed
            refused += load.refused
            progress.update(load.requests)
            if done >= warm:
                samples.append(Sample(done, server.memory()))
            if len(samples) > 1 and time.monotonic() > ends:
                break
    return samples, refused, failed


def write_mixed_bodies(path: Path, texts: Sequence[str], count: int = _BODIES) -> Path:
    """Requests of all kinds, one a line: path, tab, body."""
    drawn = random.Random(_SEED)
    kinds = drawn.choices(list(_SHARES), list(_SHARES.values()), k=count)
    lines = [_request(kind, texts, drawn) for kind in kinds]
    path.write_text("".join(f"{target}\t{body}\n" for target, body in lines))
    return path


def _request(kind: str, texts: Sequence[str], drawn: random.Random) -> tuple[str, str]:
    text = drawn.choice(texts)
    target = "/translate" if kind == "translate" else drawn.choice(["/ner", "/sentiment"])
    bodies: dict[str, object] = {
        "ner": {"inputs": text},
        "sentiment": {"inputs": text},
        "translate": {"inputs": text, "parameters": {"tgt_lang": "de", "num_beams": 1}},
        "list": {"inputs": drawn.sample(texts, drawn.randint(2, 16))},
        "long": {"inputs": text_of(drawn.randint(500, 5_000))},
    }
    if kind in ("ner", "sentiment"):
        target = f"/{kind}"
    if kind == "bad":
        return _bad_request(drawn)
    return target, json.dumps(bodies[kind])


def _bad_request(drawn: random.Random) -> tuple[str, str]:
    return drawn.choice(
        [
            ("/ner", "{"),
            ("/ner", json.dumps({"inputs": 7})),
            ("/sentiment", json.dumps({"inputs": "x" * 6_000})),
            ("/translate", json.dumps({"inputs": "Hi", "parameters": {"tgt_lang": "xx"}})),
            (f"/nowhere/{drawn.randint(0, 10**9)}", "{}"),
        ]
    )


def _mean(samples: Iterable[Sample]) -> float:
    memories = [sample.memory for sample in samples]
    return sum(memories) / len(memories)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--warm", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=math.inf, help="at most")
    parser.add_argument("--bundles", type=Path, default=BUNDLES)
    parser.add_argument("--result", type=Path, default=RESULT)
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bodies = write_mixed_bodies(folder / "soak.txt", mixed_texts()[0])
        with serving_sluice(folder, bundles=given.bundles) as server:
            found = soak(server, bodies, given.warm, given.requests, given.minutes)
    command = f"python -m loadtests.soak --requests {given.requests} --warm {given.warm}"
    result = Soak(describe(), command, (time.monotonic() - began) / 60, *found)
    given.result.parent.mkdir(exist_ok=True)
    given.result.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    print(
        f"{result.requests} requests, {result.failed} failed, memory {100 * result.growth:+.1f} %"
    )


if __name__ == "__main__":
    main()
