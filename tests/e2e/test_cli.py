"""The command line: of a service and without one, from arguments, files and pipes."""

import json
import os
import pty
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.e2e.processes import ROOT, Server, environment, free_port, run_module


def sluice(*arguments: str, told: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    return run_module("service.cli", *arguments, told=told, **settings)


def test_entities_are_marked_in_the_text(tiny_server: Server) -> None:
    done = sluice("ner", "Agnes Smith left", "--url", tiny_server.url)
    assert done.stdout == "Agnes [Smith](PER) left\n"


def test_lines_of_a_pipe_are_answered_in_order_and_blank_ones_kept(tiny_server: Server) -> None:
    lines = ["how are you", "", *[f"good day {i}" for i in range(40)]]
    done = sluice("ner", "--url", tiny_server.url, told="\n".join(lines) + "\n")
    assert done.stdout.splitlines() == lines


def test_files_are_read_a_text_a_line(tiny_server: Server, tmp_path: Path) -> None:
    file = tmp_path / "reviews.txt"
    file.write_text("nothing to like\nhow are you\n", encoding="utf-8")
    done = sluice("sentiment", "--file", str(file), "--url", tiny_server.url)
    assert [line.split("\t")[2] for line in done.stdout.splitlines()] == [
        "nothing to like",
        "how are you",
    ]


@pytest.mark.parametrize(
    "command, path, parameters",
    [
        (["ner"], "/ner", {}),
        (["sentiment"], "/sentiment", {}),
        (
            ["translate", "--from", "en", "--to", "de"],
            "/translate",
            {"src_lang": "en", "tgt_lang": "de"},
        ),
        (["detect"], "/detect", {}),
    ],
)
def test_json_is_the_services_with_and_without_a_service(
    tiny_server: Server,
    tiny_bundles: Path,
    command: list[str],
    path: str,
    parameters: dict[str, str],
) -> None:
    text = "how are you, Agnes Smith?"
    [answer] = tiny_server.post(path, {"inputs": [text], "parameters": parameters}).json()
    remote = sluice(*command, "--json", text, "--url", tiny_server.url)
    local = sluice(*command, "--json", text, "--local", SLUICE_BUNDLES=str(tiny_bundles))
    assert json.loads(remote.stdout) == json.loads(local.stdout) == answer


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (["translate", "--to", "xx", "a"], "tgt_lang"),
        (["translate", "--to", "de", "--beams", "99", "a"], "num_beams"),
        (["ner", "a" * 5_001], "the limit is 5000"),
    ],
)
def test_what_the_service_refuses_is_told_in_one_line(
    tiny_server: Server, arguments: list[str], reason: str
) -> None:
    done = sluice(*arguments, "--url", tiny_server.url)
    assert (done.returncode, done.stdout) == (1, "")
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_a_service_it_says_how_to_start_one() -> None:
    done = sluice("ner", "a", "--url", f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert "make serve" in done.stderr
    assert "--local" in done.stderr


def test_an_address_without_a_scheme_is_told_with_one() -> None:
    done = sluice("ner", "a", "--url", "localhost:3000")
    assert done.returncode == 1
    assert "write http://localhost:3000" in done.stderr


def test_a_file_that_cannot_be_read_is_named(tiny_server: Server, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    for name, fix in (("none.txt", "name a text file"), ("latin.txt", "save it as UTF-8")):
        done = sluice("ner", "--file", str(tmp_path / name), "--url", tiny_server.url)
        assert (done.returncode, done.stdout) == (1, "")
        assert name in done.stderr
        assert fix in done.stderr


def test_another_server_at_the_address_is_told_apart() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.handle_request).start()
        done = sluice("ner", "a", "--url", f"http://127.0.0.1:{other.server_port}")
    assert done.returncode == 1
    assert done.stderr.endswith("answers with status 501, not as Sluice does; check the address\n")


def test_without_a_bundle_it_says_what_is_missing(tmp_path: Path) -> None:
    done = sluice("ner", "a", "--local", SLUICE_BUNDLES=str(tmp_path))
    assert done.returncode == 1
    assert "no bundle" in done.stderr


@pytest.mark.parametrize("no_color", [False, True])
def test_colour_is_for_terminals_alone(tiny_server: Server, no_color: bool) -> None:
    ours, theirs = pty.openpty()
    settings = {"NO_COLOR": "1"} if no_color else {}
    command = [sys.executable, "-m", "service.cli", "ner", "Smith left", "--url", tiny_server.url]
    subprocess.run(command, cwd=ROOT, env=environment(**settings), stdout=theirs, check=True)
    os.close(theirs)
    shown = os.read(ours, 1_000).decode()
    os.close(ours)
    assert ("\x1b[34m[Smith]" in shown) is not no_color


def test_a_reader_that_has_enough_is_no_error(tiny_server: Server) -> None:
    lines = "\n".join(f"good day {i}" for i in range(2_000))
    command = f"{sys.executable} -m service.cli ner --url {tiny_server.url} | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=ROOT,
        env=environment(),
        input=lines,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "good day 0\n", "")
