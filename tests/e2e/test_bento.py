"""A built Bento answers like the service that it was built from."""

import subprocess
import sys
from pathlib import Path

import pytest

from service.bundle import find_bundles
from tests.e2e.processes import ROOT, Server, environment, free_port, running

CALLS = {
    "ner": ("/ner", {"inputs": ["Pankaj lives in Munich", ""]}),
    "sentiment": ("/sentiment", {"inputs": "There is nothing to like in this movie."}),
    "translation": (
        "/translate",
        {"inputs": "how are you?", "parameters": {"src_lang": "en", "tgt_lang": "de"}},
    ),
    "detection": ("/detect", {"inputs": "Voulez-vous chanter avec moi?"}),
    "transliteration": ("/transliterate", {"inputs": "kya tumne khana khaya"}),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, bundles_dir: Path) -> Path:
    """A Bento store with one Bento, built offline."""
    home = tmp_path_factory.mktemp("home")
    subprocess.run(
        [sys.executable, "-m", "bentoml", "build", "--version", "test"],
        cwd=ROOT,
        env=environment(BENTOML_HOME=str(home)),
        check=True,
        timeout=120,
    )
    return home


def test_a_bento_holds_the_service_and_its_bundles_and_nothing_else(
    home: Path, bundles_dir: Path
) -> None:
    source = home / "bentos" / "sluice" / "test" / "src"
    assert {path.name for path in source.iterdir()} <= {
        "service",
        "exported_models",
        "pyproject.toml",
        "constraints.txt",
        "deploy",
        "bentofile.yaml",
        "README.md",
    }
    assert find_bundles(source / "exported_models").keys() == find_bundles(bundles_dir).keys()


def test_a_bento_gives_the_same_answers(
    home: Path, bundles_dir: Path, server: Server, tmp_path: Path
) -> None:
    port = free_port()
    command = [sys.executable, "-m", "bentoml", "serve", "sluice:test", "-p", str(port)]
    with running(command, port, tmp_path, BENTOML_HOME=str(home)) as bento:
        for task in find_bundles(bundles_dir):
            path, body = CALLS[task]
            answer = bento.post(path, body)
            assert answer.status_code == 200
            assert answer.json() == server.post(path, body).json()
        assert bento.stop() == 0
