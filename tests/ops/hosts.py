"""Hosts made of network namespaces (ip-netns(8)), each with an address on one network."""

import contextlib
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from service.settings import ROOT
from tests.e2e.processes import environment

_SWITCH = "sluice-switch"
_NETWORK = "10.77.0"
OUTSIDE = f"{_NETWORK}.254"
"""This machine, as the hosts see it."""
_TOKEN = uuid.uuid4().hex
"""Of the Ray cluster on these hosts."""


class Host(NamedTuple):
    """A namespace of the network, and its address."""

    name: str
    address: str

    def run(
        self, *command: str, timeout: float = 120, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """A command there, to its end, with `settings` in its environment."""
        return subprocess.run(
            [*self._inside, *command],
            cwd=ROOT,
            env=_told() | settings,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    @contextlib.contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[str]]:
        """A command there, ended with the block."""
        process = subprocess.Popen(
            [*self._inside, *command], cwd=ROOT, env=_told(), stdout=subprocess.DEVNULL, text=True
        )
        try:
            yield process
        finally:
            process.terminate()
            # Ray drains for half a minute.
            process.wait(90)

    @property
    def _inside(self) -> list[str]:
        return ["ip", "netns", "exec", self.name]


@contextlib.contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    """So many hosts on one network, to which this machine belongs as well."""
    if os.geteuid() or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and iproute2")
    made = [Host(f"sluice-{n}", f"{_NETWORK}.{n}") for n in range(1, count + 1)]
    with contextlib.ExitStack() as undo:
        # The switch has a namespace of its own: a firewall of this machine (Docker's drops what
        # is forwarded) is none of this network.
        for name in (_SWITCH, *(host.name for host in made)):
            ip("netns", "add", name)
            undo.callback(ip, "netns", "del", name)
        ip("-n", _SWITCH, "link", "add", "switch", "type", "bridge")
        ip("-n", _SWITCH, "link", "set", "switch", "up")
        _connect("sluice-0", OUTSIDE)
        # A namespace that is deleted goes some time later, and the cables of its own with it.
        undo.callback(ip, "link", "del", "sluice-0")
        for host in made:
            _connect(host.name, host.address, "-n", host.name)
            ip("-n", host.name, "link", "set", "lo", "up")
        yield made


def _connect(name: str, address: str, *where: str) -> None:
    """A cable from the switch to a host; to this machine, where there is no `where`."""
    cable = f"{name}-s"
    ip(*where, "link", "add", name, "type", "veth", "peer", "name", cable, "netns", _SWITCH)
    ip(*where, "addr", "add", f"{address}/24", "dev", name)
    ip(*where, "link", "set", name, "up")
    ip("-n", _SWITCH, "link", "set", cable, "master", "switch")
    ip("-n", _SWITCH, "link", "set", cable, "up")


def ip(*command: str) -> None:
    subprocess.run(["ip", *command], check=True, capture_output=True)


def _told() -> dict[str, str]:
    return environment(
        PYTHONPATH=str(ROOT),
        RAY_USAGE_STATS_ENABLED="0",
        RAY_AUTH_MODE="token",
        RAY_AUTH_TOKEN=_TOKEN,
        OMP_NUM_THREADS="1",
        SLUICE_LOAD_MINUTES="0.5",
    )
