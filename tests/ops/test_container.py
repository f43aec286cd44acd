"""The image on a real engine: small, locked, quick to start, and it drains."""

import json
import os
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.ops.engine import IMAGE, Container, docker, require_image
from tests.ops.record import record

pytestmark = pytest.mark.ops

_BASE = "python:3.11-slim"
_MAX_BYTES = 450_000_000
_START_S = 6.0


@pytest.fixture(scope="module", autouse=True)
def image() -> None:
    require_image()


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    container = Container()
    yield container
    container.remove()


def test_it_is_small_over_its_base() -> None:
    sizes = [int(docker("image", "inspect", "-f", "{{.Size}}", name)) for name in (IMAGE, _BASE)]
    record("image", bytes_over_base=sizes[0] - sizes[1])
    assert sizes[0] - sizes[1] <= _MAX_BYTES


def test_it_is_ready_in_time(container: Container) -> None:
    record("start", ready_s=round(container.ready_s, 2), load=round(os.getloadavg()[0], 1))
    assert container.ready_s <= _START_S


def test_it_is_nobody_in_particular_and_can_write_nowhere(container: Container) -> None:
    assert container.run("id", "-u") == "10001"
    assert container.run("sh", "-c", "touch /app/x || echo no").endswith("no")
    assert "0000000000000000" in container.run("grep", "CapEff", "/proc/1/status")


def test_it_has_no_compiler_no_pip_and_no_torch(container: Container) -> None:
    assert container.run("sh", "-c", "command -v gcc cc c++ make pip pip3") == ""
    python = "/opt/sluice/bin/python"
    assert container.run(python, "-c", "import pip") == ""
    found = "import importlib.util as u; print(u.find_spec('torch'), u.find_spec('pip'))"
    assert container.run(python, "-c", found) == "None None"


def test_its_bill_of_materials_names_what_it_runs(container: Container) -> None:
    told = json.loads(container.run("cat", "/opt/sluice/sbom.cdx.json"))
    assert told["bomFormat"] == "CycloneDX"
    assert {"bentoml", "onnxruntime", "uvicorn"} <= {part["name"] for part in told["components"]}


def test_the_limit_of_the_container_decides_the_threads(container: Container) -> None:
    asked = "from service.settings import Settings; print(Settings.load().threads)"
    assert container.run("/opt/sluice/bin/python", "-c", asked) == "1"


def test_it_answers_becomes_healthy_and_drains(container: Container) -> None:
    answer = httpx.post(container.url + "/ner", json={"inputs": "Pankaj lives in Munich"})
    assert [entity["word"] for entity in answer.json()] == ["Pankaj", "Munich"]
    deadline = time.monotonic() + 60
    while container.tell("{{.State.Health.Status}}") != "healthy":
        assert time.monotonic() < deadline
        time.sleep(1)
    docker("stop", "-t", "30", container.name)
    assert container.tell("{{.State.ExitCode}}") == "0"
    lines = container.log().splitlines()
    assert all(json.loads(line)["level"] == "info" for line in lines)
