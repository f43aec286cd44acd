"""The balancer of docker-compose.yml over services of this machine."""

import contextlib
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.settings import ROOT
from tests.e2e.processes import free_port


@contextlib.contextmanager
def running_balancer(folder: Path, ports: list[int]) -> Iterator[str]:
    """Its address. The configuration is the shipped one but for where the services are."""
    haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
    if haproxy is None:
        pytest.skip("haproxy is not installed; tests/ops/run.sh installs it")
    port = free_port()
    told = (ROOT / "deploy/haproxy/haproxy.cfg").read_text()
    servers = "\n".join(f"    server s{port} 127.0.0.1:{port}" for port in ports)
    told = re.sub(r"    server-template .*", servers, told)
    told = re.sub(r"resolvers docker\n(    .*\n)+", "", told)
    told = told.replace(" resolvers docker init-addr none", "")
    told = told.replace("bind :8080", f"bind 127.0.0.1:{port}")
    told = told.replace("bind :8405", f"bind 127.0.0.1:{free_port()}")
    path = folder / "haproxy.cfg"
    path.write_text(told)
    process = subprocess.Popen([haproxy, "-db", "-f", str(path)], stdout=subprocess.DEVNULL)
    try:
        _await(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _await(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url + "/models").status_code == 200:
                return
        time.sleep(0.2)
    raise AssertionError("the balancer found no service")
