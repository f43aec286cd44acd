"""This service and its peers, in turn, on the same texts and cores."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from tqdm import tqdm

from loadtests.contenders import (
    BEST,
    IDIOMATIC,
    OURS,
    OURS_MOUNTED,
    PEERS,
    Choice,
    Contender,
    is_installed,
    serving_peer,
    serving_sluice,
)
from loadtests.openloop import OpenLoad, open_loop
from loadtests.processes import Server, ServerFailed
from loadtests.texts import one_input, write_bodies
from loadtests.wrk import Load, closed_loop

CONNECTIONS = (1, 8, 32, 128)


class Measured(msgspec.Struct, frozen=True):
    """A contender's figures, or why there are none."""

    name: str
    settings: Choice
    off_the_shelf: bool
    loads: list[Load] = []
    open: OpenLoad | None = None
    failure: str = ""

    def at(self, connections: int) -> Load:
        return next(load for load in self.loads if load.connections == connections)


class Comparison(msgspec.Struct, frozen=True):
    """This service comes first and last, so that a drift of the machine shows.

    `mounted` is this service without its lean path: BentoML's documented way, our default.
    """

    ours: Measured
    mounted: Measured
    peers: list[Measured]
    ours_again: Measured

    @property
    def served(self) -> list[Measured]:
        """The tuned peers that could be measured."""
        return [peer for peer in self.peers if not peer.failure and peer.name != IDIOMATIC]

    @property
    def idiomatic(self) -> Measured | None:
        found = [peer for peer in self.peers if peer.name == IDIOMATIC and not peer.failure]
        return found[0] if found else None


class Seconds(msgspec.Struct, frozen=True):
    """How long each part of a comparison runs, a contender."""

    warm: float
    closed: float
    open: float


class Bench:
    """What all contenders share: texts, environments, a folder for files, times."""

    def __init__(
        self, texts: Sequence[str], environments: Path, folder: Path, seconds: Seconds
    ) -> None:
        self._texts, self._environments = texts, environments
        self._folder, self._seconds = folder, seconds

    def compare(self, choices: dict[str, Choice]) -> Comparison:
        """`choices` are the settings of the peers, by name; the first to try where one lacks."""
        ours = self._ours(OURS, None)
        rate = ours.at(128).per_second / 2
        mounted = self._ours(OURS_MOUNTED, rate, {"SLUICE_LEAN_PATH": "false"})
        progress = tqdm(PEERS, desc="peers")
        peers = [
            self.peer(peer, choices.get(peer.name, peer.choices[0]), rate) for peer in progress
        ]
        return Comparison(ours, mounted, peers, self._ours(OURS, rate))

    def peer(self, peer: Contender, choice: Choice, rate: float | None) -> Measured:
        """Loads of a peer, open-loop load at `rate`; a failure is part of the result."""
        found = Measured(peer.name, choice, peer.off_the_shelf)
        if not is_installed(peer, self._environments):
            return msgspec.structs.replace(found, failure="not installed (make bench installs it)")
        bodies = write_bodies(self._folder / "bodies.txt", self._texts, peer.body)
        try:
            with serving_peer(peer, choice, self._environments, self._folder) as server:
                return self._load(found, server, bodies, rate)
        except (ServerFailed, RuntimeError) as error:
            return msgspec.structs.replace(found, failure=str(error))

    def _ours(self, name: str, rate: float | None, settings: Mapping[str, str] = {}) -> Measured:
        """Open-loop load at half of its own capacity where no rate is given."""
        found = Measured(name, {**BEST, **settings}, False)
        bodies = write_bodies(self._folder / "bodies.txt", self._texts, one_input)
        with serving_sluice(self._folder, settings=settings) as server:
            return self._load(found, server, bodies, rate)

    def _load(self, found: Measured, server: Server, bodies: Path, rate: float | None) -> Measured:
        closed_loop(server, bodies, 32, self._seconds.warm)
        loads = [closed_loop(server, bodies, n, self._seconds.closed) for n in CONNECTIONS]
        half = rate or loads[-1].per_second / 2
        opened = open_loop(server, bodies, half, self._seconds.open)
        return msgspec.structs.replace(found, loads=loads, open=opened)
