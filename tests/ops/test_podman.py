"""The same image on Podman: the Deployment's own pod, and without root."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from service.settings import ROOT
from tests.e2e.processes import free_port
from tests.ops.engine import IMAGE, docker, require_image
from tests.ops.record import record
from tests.ops.test_files import tool

pytestmark = [pytest.mark.ops, pytest.mark.timeout(900)]

_LOCAL = f"localhost/{IMAGE}"
_POD = "sluice-pod"
_ALONE = "sluice-alone"
_LIMITS = """
[containers]
default_ulimits = ["nofile=8192:8192", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
"""What Podman would ask systemd for, and more files than a container in a container may open."""
_ASK = (
    "import urllib.request as u; print(u.urlopen(u.Request('http://127.0.0.1:3000/ner', "
    """b'{"inputs": "Pankaj lives in Munich"}', {'Content-Type': 'application/json'}))"""
    ".read().decode())"
)
Podman = Callable[..., str]


def podman_of(folder: Path, user: str | None) -> Podman:
    """Runs Podman's commands as `user`, None for this one, and gives what they print."""
    folder.mkdir(mode=0o755)
    (folder / "containers.conf").write_text(_LIMITS)
    told = {"CONTAINERS_CONF": str(folder / "containers.conf"), "XDG_RUNTIME_DIR": str(folder)}
    prefix = ["runuser", "-u", user, "--", "env"] if user else ["env"]
    home = [f"HOME={Path(f'~{user}').expanduser()}"] if user else []
    settings = [f"{name}={value}" for name, value in told.items()] + home

    def podman(*command: str, given: str | None = None) -> str:
        full = [*prefix, *settings, tool("podman"), *command]
        done = subprocess.run(
            full, cwd="/", input=given, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return podman


def load(podman: Podman, folder: Path) -> None:
    """The image out of the other engine."""
    require_image()
    archive = folder / "image.tar"
    docker("save", IMAGE, "-o", str(archive))
    archive.chmod(0o644)
    podman("load", "-q", "-i", str(archive))
    archive.unlink()


def eventually(asked: Callable[[], bool]) -> float:
    """Seconds until it is true."""
    began = time.monotonic()
    while not asked():
        assert time.monotonic() - began < 120
        time.sleep(0.1)
    return time.monotonic() - began


def pod_of_the_deployment(port: int) -> str:
    """The pod that Kubernetes would make, of the local image and with the port published."""
    rendered = subprocess.run(
        [tool("kubectl"), "kustomize", ROOT / "deploy/kubernetes/base"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    told = [part for part in yaml.safe_load_all(rendered) if part]
    [template] = [part["spec"]["template"] for part in told if part["kind"] == "Deployment"]
    [container] = template["spec"]["containers"]
    assert container["image"] == IMAGE
    container["image"] = _LOCAL
    container["ports"][0] |= {"hostPort": port, "hostIP": "127.0.0.1"}
    labels = template["metadata"]["labels"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": _POD, "labels": labels}}
    return yaml.safe_dump(pod | {"spec": template["spec"]})


@pytest.fixture
def rootful(tmp_path: Path) -> Iterator[Podman]:
    if os.geteuid():
        pytest.skip("a pod with a network of its own needs root here; rootless is tested alone")
    podman = podman_of(tmp_path / "root", None)
    load(podman, tmp_path)
    yield podman
    podman("pod", "rm", "-f", "--ignore", _POD)


def test_the_pod_of_the_deployment_runs_answers_and_drains(rootful: Podman) -> None:
    port = free_port()
    rootful("play", "kube", "-", given=pod_of_the_deployment(port))
    url = f"http://127.0.0.1:{port}"
    ready_s = eventually(lambda: answers(url))
    found = httpx.post(url + "/ner", json={"inputs": "Pankaj lives in Munich"}, timeout=30).json()
    assert [entity["word"] for entity in found] == ["Pankaj", "Munich"]
    [told] = json.loads(rootful("inspect", f"{_POD}-service"))
    assert told["HostConfig"]["ReadonlyRootfs"] is True
    assert told["EffectiveCaps"] in (None, [])
    rootful("pod", "stop", "-t", "45", _POD)
    [ended] = json.loads(rootful("inspect", f"{_POD}-service"))
    record("podman play kube", ready_s=round(ready_s, 1), status=ended["State"]["ExitCode"])
    assert ended["State"]["ExitCode"] == 0


def answers(url: str) -> bool:
    try:
        return httpx.get(url + "/readyz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def rootless() -> Iterator[Podman]:
    """Podman of a user without rights, in a folder that this user can read."""
    user = os.environ.get("OPS_USER") if not os.geteuid() else None
    if not os.geteuid() and user is None:
        pytest.skip("root needs a user without rights in OPS_USER; tests/ops/run.sh makes one")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        podman = podman_of(folder / "podman", user)
        if user:
            shutil.chown(folder / "podman", user)
        load(podman, folder)
        yield podman
        podman("rm", "-f", "--ignore", _ALONE)


def test_it_runs_without_root(rootless: Podman) -> None:
    locked = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "--network", "none")
    rootless("run", "-d", "--name", _ALONE, *locked, _LOCAL)
    eventually(lambda: says(rootless, _ASK).startswith("["))
    found = json.loads(says(rootless, _ASK))
    assert [entity["word"] for entity in found] == ["Pankaj", "Munich"]
    mapped = rootless("exec", _ALONE, "cat", "/proc/1/uid_map").split()
    assert mapped[:2] != ["0", "0"]
    rootless("stop", "-t", "30", _ALONE)
    [ended] = json.loads(rootless("inspect", _ALONE))
    record("podman without root", uid_map=mapped[:3], status=ended["State"]["ExitCode"])
    assert ended["State"]["ExitCode"] == 0


def says(podman: Podman, script: str) -> str:
    """What a script prints in the container; nothing while it cannot."""
    try:
        return podman("exec", _ALONE, "/opt/sluice/bin/python", "-c", script)
    except AssertionError:
        return ""
