"""Callers in a process of their own, each of whom asks again when answered (a closed loop).

    python -m tests.ops.callers URL --seconds 10 --connections 8

Prints one JSON object: answers by status, faults by name, and when each was answered. For more
callers than can be served this is too dear: loadtests/openloop.py.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from typing import NamedTuple

import aiohttp

from service.settings import ROOT
from tests.e2e.processes import environment

BODY = {"inputs": "Marie Curie was born in Warsaw on 7 November 1867 and moved to Paris in 1891."}


class Answer(NamedTuple):
    """`at` is when it was there, seconds after the start; `took` seconds; status 0 is a fault."""

    at: float
    took: float
    status: int


class Answers(NamedTuple):
    """What a run of callers got."""

    answers: list[Answer]
    faults: dict[str, int]

    def rate(self, start: float, end: float, status: int = 200) -> float:
        """Answers a second between two times."""
        return sum(a.status == status and start <= a.at < end for a in self.answers) / (end - start)

    def share(self, *statuses: int) -> float:
        return sum(a.status in statuses for a in self.answers) / len(self.answers)

    def by_status(self) -> dict[int, int]:
        return dict(Counter(answer.status for answer in self.answers))


class Callers:
    """Callers at work in another process."""

    def __init__(self, url: str, seconds: float, connections: int, path: str = "/ner") -> None:
        command = [sys.executable, "-m", "tests.ops.callers", url + path]
        options = ["--seconds", str(seconds), "--connections", str(connections)]
        self._process = subprocess.Popen(
            [*command, *options],
            cwd=ROOT,
            env=environment(PYTHONPATH=str(ROOT)),
            stdout=subprocess.PIPE,
            text=True,
        )

    def result(self) -> Answers:
        told, _ = self._process.communicate(timeout=600)
        read = json.loads(told)
        return Answers([Answer(*answer) for answer in read["answers"]], read["faults"])


async def closed_loop(url: str, seconds: float, connections: int) -> Answers:
    """So many callers, each of whom asks again when answered."""
    answers: list[Answer] = []
    faults: Counter[str] = Counter()
    began = time.monotonic()

    async def call_again() -> None:
        while time.monotonic() - began < seconds:
            answers.append(await ask(session, url, began, faults))

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(call_again() for _ in range(connections)))
    return Answers(answers, faults)


async def ask(
    session: aiohttp.ClientSession, url: str, began: float, faults: Counter[str]
) -> Answer:
    """One call; whatever goes wrong is counted by its name."""
    sent = time.monotonic()
    try:
        async with session.post(url, json=BODY, timeout=aiohttp.ClientTimeout(60)) as answer:
            await answer.read()
            status = answer.status
    except (aiohttp.ClientError, TimeoutError) as error:
        faults[type(error).__name__] += 1
        status = 0
    now = time.monotonic()
    return Answer(now - began, now - sent, status)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--connections", type=int, required=True)
    given = parser.parse_args()
    answers, faults = asyncio.run(closed_loop(given.url, given.seconds, given.connections))
    print(json.dumps({"answers": answers, "faults": faults}))


if __name__ == "__main__":
    main()
