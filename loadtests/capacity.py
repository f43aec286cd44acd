"""The highest rate within a p99 limit, and what it costs: `make capacity`.

wrk keeps a number of connections busy; the number is doubled, then halved in between, until p99 is
just within the limit. One core of wrk makes some 68,000 requests a second: what is measured is the
service, as long as wrk has a core of its own or the service is on another machine.
"""

import argparse
import json
import platform
import re
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

TEXTS = [
    "Pankaj lives in Munich.",
    "Marie Curie was born in Warsaw on 7 November 1867 and moved to Paris in 1891.",
    "It broke after two days, and nobody at the shop wanted to hear about it.",
    "We waited until at last, long after midnight, the train from Hamburg came in.",
]
PATHS = {"ner": "/ner", "sentiment": "/sentiment", "translation": "/translate"}
_MAX_CONNECTIONS = 1_024
_UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1_000.0, "m": 60_000.0}


class Measured(NamedTuple):
    """One run of wrk."""

    connections: int
    rate: float
    p99_ms: float
    errors: int

    def within(self, limit_ms: float) -> bool:
        return self.p99_ms <= limit_ms and self.errors == 0


def main() -> None:
    """Print each run, and what the best one means in users and money."""
    given = _arguments()
    print(f"{platform.platform()}, {given.cores} cores serve, {given.url}, {given.task}")
    best = find_capacity(given.url, given.task, given.p99_ms, given.seconds)
    if best is None:
        raise SystemExit(f"p99 is above {given.p99_ms:g} ms at one connection already")
    users = best.rate * given.think_s
    hours = 1e6 / best.rate / 3600
    print(
        f"capacity: {best.rate:.0f} requests/s at p99 {best.p99_ms:.1f} ms "
        f"(limit {given.p99_ms:g} ms, {best.connections} connections)\n"
        f"users per core: {users / given.cores:.0f} (one call every {given.think_s:g} s each)\n"
        f"a million requests: {hours * given.price * given.cores:.4f} "
        f"at {given.price:g} for a core and hour"
    )


def find_capacity(url: str, task: str, limit_ms: float, seconds: int) -> Measured | None:
    """The fastest run within the limit, None if there is none."""
    good: Measured | None = None
    low, high = 0, 1
    while high <= _MAX_CONNECTIONS:
        run = measure(url, task, high, seconds)
        if not run.within(limit_ms):
            break
        good, low, high = _faster(good, run), high, 2 * high
    while high - low > max(1, low // 8):
        middle = (low + high) // 2
        run = measure(url, task, middle, seconds)
        if run.within(limit_ms):
            good, low = _faster(good, run), middle
        else:
            high = middle
    return good


def measure(url: str, task: str, connections: int, seconds: int) -> Measured:
    """One run with so many connections."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_script(task))
        script.flush()
        told = subprocess.run(
            _command(script.name, url + PATHS[task], connections, seconds),
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    run = parse(told, connections)
    print(f"{connections:5} connections: {run.rate:8.0f} requests/s, p99 {run.p99_ms:8.1f} ms")
    return run


def _command(script: str, url: str, connections: int, seconds: int) -> list[str]:
    told = f"-t 1 -c {connections} -d {seconds}s --latency --timeout 30s -s"
    return ["wrk", *told.split(), script, url]


def parse(told: str, connections: int) -> Measured:
    """What wrk printed."""
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s|m)", told)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    lost = re.search(r"connect (\d+), read (\d+), write (\d+), timeout (\d+)", told)
    if rate is None or p99 is None:
        raise SystemExit(f"wrk told no rate or latency:\n{told}")
    errors = int(bad[1]) if bad else 0
    errors += sum(map(int, lost.groups())) if lost else 0
    return Measured(connections, float(rate[1]), float(p99[1]) * _UNITS_MS[p99[2]], errors)


def _faster(one: Measured | None, other: Measured) -> Measured:
    return other if one is None or other.rate > one.rate else one


def _script(task: str) -> str:
    told = {"parameters": {"src_lang": "en", "tgt_lang": "de"}} if task == "translation" else {}
    bodies = ", ".join(json.dumps(json.dumps({"inputs": text, **told})) for text in TEXTS)
    return (
        f"local bodies = {{{bodies}}}\nlocal n = 0\n"
        'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
        "request = function()\n  n = n % #bodies + 1\n"
        "  return wrk.format(nil, nil, nil, bodies[n])\nend\n"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:3000")
    parser.add_argument("--task", choices=sorted(PATHS), default="ner")
    parser.add_argument("--p99-ms", type=float, default=100.0)
    parser.add_argument("--seconds", type=int, default=10, help="of each run")
    parser.add_argument("--cores", type=int, default=1, help="cores that the service may use")
    parser.add_argument("--price", type=float, default=0.04, help="of a core for an hour")
    parser.add_argument("--think-s", type=float, default=10.0, help="a user's time between calls")
    return parser.parse_args()


if __name__ == "__main__":
    if not Path("/usr/bin/wrk").exists():
        raise SystemExit("wrk is missing; `make capacity` installs it, or: apt-get install wrk")
    main()
