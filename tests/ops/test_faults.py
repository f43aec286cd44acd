"""What goes wrong around a running service costs no request: bundles, disks, Prometheus."""

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.bundle import MANIFEST
from tests.e2e.processes import Server, running_service
from tests.ops.callers import Callers
from tests.ops.prometheus import running_prometheus, shipped_rules
from tests.ops.record import record

pytestmark = pytest.mark.ops

_SECONDS = 20.0
_KEY = "a key of this test only"
_TMPFS_MB = 24


@contextlib.contextmanager
def under_load(server: Server, fault: str) -> Iterator[None]:
    """Four callers before, in and after the fault; every one of their calls is answered."""
    callers = Callers(server.url, _SECONDS, connections=4)
    time.sleep(3)
    try:
        yield
    finally:
        found = callers.result()
    record(fault, requests=len(found.answers), statuses=found.by_status(), faults=found.faults)
    assert found.share(200) == 1.0
    assert server.process.poll() is None


def reload(server: Server) -> httpx.Response:
    told = {"Authorization": f"Bearer {_KEY}"}
    return httpx.post(f"{server.url}/admin/reload", headers=told, timeout=60)


def newer(bundles: Path, version: str) -> Path:
    """The entity bundle once more, as another version."""
    old = min((bundles / "ner").iterdir())
    new = bundles / "ner" / version
    shutil.copytree(old, new)
    manifest = json.loads((new / MANIFEST).read_text())
    (new / MANIFEST).write_text(json.dumps(manifest | {"version": version}))
    return new


def serves(server: Server) -> str:
    models = server.get("/models").json()["models"]
    return str(next(model["version"] for model in models if model["task"] == "ner"))


@pytest.fixture
def bundles(bundles_dir: Path, tmp_path: Path) -> Path:
    """The shipped bundles, to be changed."""
    shutil.copytree(bundles_dir, tmp_path / "bundles")
    return tmp_path / "bundles"


def test_a_bundle_is_swapped(bundles: Path) -> None:
    with running_service(bundles, SLUICE_ADMIN_KEY=_KEY) as server:
        newer(bundles, "9.0.0")
        with under_load(server, "a bundle swapped"):
            assert reload(server).status_code == 200
        assert serves(server) == "9.0.0"


def test_a_bad_bundle_is_offered(bundles: Path) -> None:
    with running_service(bundles, SLUICE_ADMIN_KEY=_KEY) as server:
        before = serves(server)
        (newer(bundles, "9.0.0") / "words.json").write_text("{}")
        with under_load(server, "a bad bundle offered"):
            assert reload(server).status_code == 409
        assert serves(server) == before


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of some megabytes of its own."""
    folder.mkdir()
    size = f"size={_TMPFS_MB}m"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=False
    )
    if mounted.returncode:
        pytest.skip("a file system of its own needs root and CAP_SYS_ADMIN (mount(2))")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Until not a byte more fits."""
    with (folder / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4_096))


def test_the_disk_is_full(bundles: Path, tmp_path: Path) -> None:
    """The one for temporary files; a reload then still takes place in all workers."""
    with (
        small_disk(tmp_path / "disk") as disk,
        running_service(
            bundles, SLUICE_ADMIN_KEY=_KEY, SLUICE_WORKERS="2", TMPDIR=str(disk)
        ) as server,
    ):
        newer(bundles, "9.0.0")
        fill(disk)
        with under_load(server, "disk full"):
            assert server.get("/metrics").status_code == 200
            assert reload(server).status_code == 200
        assert {serves(server) for _ in range(20)} == {"9.0.0"}


def test_the_disk_is_read_only(bundles: Path, tmp_path: Path) -> None:
    """The one that the bundles are on. (That of the program: every test of the container.)"""
    with read_only(bundles), running_service(bundles, SLUICE_ADMIN_KEY=_KEY) as server:
        with pytest.raises(OSError, match="Read-only"):
            (bundles / "x").touch()
        with under_load(server, "read-only disk"):
            assert reload(server).status_code == 200


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    bound = subprocess.run(["mount", "--bind", "-o", "ro", str(folder), str(folder)], check=False)
    if bound.returncode:
        pytest.skip("a read-only mount needs root and CAP_SYS_ADMIN (mount(2))")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_prometheus_is_gone(bundles_dir: Path, tmp_path: Path) -> None:
    with (
        running_service(bundles_dir) as server,
        under_load(server, "Prometheus gone"),
        running_prometheus(tmp_path, shipped_rules()) as prometheus,
    ):
        prometheus.scrape(server.url.removeprefix("http://"))
        assert prometheus.wait(lambda: bool(prometheus.query("up == 1")), 30)
