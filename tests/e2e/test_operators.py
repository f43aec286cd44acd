"""A real service as its operators set it up: keys, a port of their own, JSON logs, origins."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from service.keys import make_key
from tests.e2e.processes import ROOT, environment, free_port, run_service, running


def test_keys_logs_and_the_operators_port_of_a_running_service(
    tiny_bundles: Path, tmp_path: Path
) -> None:
    made, port, own = make_key("anna"), free_port(), free_port()
    keys, output = tmp_path / "keys", tmp_path / "log"
    keys.write_text(made.line)
    command = ["bash", "-c", f'exec "$0" -m service --port {port} > {output}', sys.executable]
    with running(
        command,
        port,
        ROOT,
        SLUICE_BUNDLES=str(tiny_bundles),
        SLUICE_API_KEYS_FILE=str(keys),
        SLUICE_RATE_LIMIT="0.001",
        SLUICE_RATE_BURST="2",
        SLUICE_WORKERS="2",
        SLUICE_ADMIN_PORT=str(own),
        SLUICE_ACCESS_LOG="true",
        SLUICE_LOG_FORMAT="json",
    ) as server:
        told = {"Authorization": f"Bearer {made.key}"}
        body = {"inputs": "John Smith"}
        statuses = [server.post("/ner", body, **told).status_code for _ in range(4)]
        assert statuses == [200, 200, 429, 429]
        assert server.post("/ner", body).status_code == 401
        assert server.get("/metrics").status_code == 401
        metrics = httpx.get(f"http://127.0.0.1:{own}/metrics", timeout=30).text
        assert 'sluice_key_requests_total{key="anna",status="200"} 2.0' in metrics
        assert server.stop() == 0
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    requests = [line for line in lines if line["logger"] == "sluice.access"]
    assert {line["key"] for line in requests if line["status"] == 200} >= {"anna"}
    assert "Smith" not in output.read_text()
    assert made.key not in output.read_text()


def test_a_taken_port_for_operators_stops_the_start(tiny_bundles: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run_service(
            "--port", str(free_port()), SLUICE_BUNDLES=str(tiny_bundles), SLUICE_ADMIN_PORT=port
        )
    assert ended.returncode == 2
    [line] = ended.stderr.splitlines()
    assert f"SLUICE_ADMIN_PORT={port}" in line
    assert "choose another" in line


def test_one_port_for_two_stops_the_start(tiny_bundles: Path) -> None:
    port = str(free_port())
    ended = run_service("--port", port, SLUICE_BUNDLES=str(tiny_bundles), SLUICE_ADMIN_PORT=port)
    assert ended.returncode == 2
    assert f"SLUICE_ADMIN_PORT={port}" in ended.stderr


@pytest.mark.parametrize("name,hidden", [("anna", False), ("Anna", True)])
def test_a_key_is_made_on_the_command_line(name: str, hidden: bool) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "service.keys", name],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert (made.returncode == 0) is not hidden
    assert ("anna:" in made.stdout) is not hidden
