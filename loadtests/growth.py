"""How cost grows with the length of a text, connections, workers, and the inputs of a call."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from loadtests.contenders import serving_sluice
from loadtests.processes import Server
from loadtests.texts import one_input, text_of, write_bodies
from loadtests.wrk import Load, closed_loop

CHARACTERS = (6, 50, 200, 1_000, 2_000, 5_000)
"""Six characters are one word."""
CONNECTIONS = (1, 2, 8, 32, 128, 512)
WORKERS = (1, 2)
INPUTS = (1, 4, 16, 64)


class Point(msgspec.Struct, frozen=True):
    """The load at one size of what grows."""

    size: int
    load: Load


class Growth(msgspec.Struct, frozen=True):
    """One curve each; a request of many inputs counts once."""

    characters: list[Point]
    connections: list[Point]
    workers: list[Point]
    inputs: list[Point]


def measure(texts: Sequence[str], seconds: float, folder: Path) -> Growth:
    """`seconds` are for each point."""
    with serving_sluice(folder) as server:
        warm = write_bodies(folder / "growth.txt", texts, one_input)
        closed_loop(server, warm, 32, seconds)
        characters = [
            Point(size, _load(server, folder, [text_of(size)], 1, seconds)) for size in CHARACTERS
        ]
        connections = [
            Point(count, _load(server, folder, texts, count, seconds)) for count in CONNECTIONS
        ]
        inputs = [
            Point(size, _load(server, folder, texts, 4, seconds, _lists_of(texts, size)))
            for size in INPUTS
        ]
    workers = [_workers(count, texts, seconds, folder) for count in WORKERS]
    return Growth(characters, connections, workers, inputs)


def _workers(count: int, texts: Sequence[str], seconds: float, folder: Path) -> Point:
    """One thread each, whatever their number: what a second worker adds."""
    settings = {"SLUICE_WORKERS": str(count), "SLUICE_THREADS": "1"}
    with serving_sluice(folder, settings=settings) as server:
        _load(server, folder, texts, 32, seconds)
        return Point(count, _load(server, folder, texts, 128, seconds))


def _load(
    server: Server,
    folder: Path,
    texts: Sequence[str],
    connections: int,
    seconds: float,
    body: Callable[[str], object] = one_input,
) -> Load:
    bodies = write_bodies(folder / "growth.txt", texts, body)
    return closed_loop(server, bodies, connections, seconds)


def _lists_of(texts: Sequence[str], size: int) -> Callable[[str], object]:
    """Calls of `size` texts: each text with those that follow it."""
    places = {text: place for place, text in enumerate(texts)}
    doubled = [*texts, *texts]
    return lambda text: {"inputs": doubled[places[text] : places[text] + size]}
