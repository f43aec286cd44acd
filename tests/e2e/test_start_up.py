"""What cannot serve does not start, and one line says why."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import onnx
import onnxruntime as ort
import pytest
from onnx.external_data_helper import set_external_data

from service.bundle import MANIFEST, Manifest, hash_files, save_manifest
from tests.e2e.processes import ROOT, environment, free_port, run_service


@pytest.fixture
def damaged(tiny_bundles: Path, tmp_path: Path) -> Path:
    """A copy of the tiny bundles, to be damaged."""
    return Path(shutil.copytree(tiny_bundles, tmp_path / "bundles"))


def flip_a_byte(bundle: Path) -> str:
    file = bundle / "model.onnx"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    return "model.onnx: damaged"


def remove_a_file(bundle: Path) -> str:
    (bundle / "words.json").unlink()
    return "words.json: No such file"


def add_a_file(bundle: Path) -> str:
    (bundle / "run.py").write_text("print()")
    return "run.py: is not listed"


def add_a_key(bundle: Path) -> str:
    manifest = bundle / MANIFEST
    manifest.write_text(manifest.read_text().replace("{", '{"colour": "red",', 1))
    return "manifest.json: colour: unknown key"


def cut_the_manifest(bundle: Path) -> str:
    manifest = bundle / MANIFEST
    manifest.write_text(manifest.read_text()[:100])
    return "manifest.json: "


def refer_elsewhere(bundle: Path) -> str:
    """Weights outside the bundle, with the hashes put right: only the graph itself tells."""
    model = onnx.load(bundle / "model.onnx")
    weights = bundle.parents[1] / "weights.bin"
    for tensor in model.graph.initializer:
        set_external_data(tensor, "../../weights.bin")
        weights.write_bytes(tensor.raw_data)
        tensor.ClearField("raw_data")
    (bundle / "model.onnx").write_bytes(model.SerializeToString())
    manifest = Manifest.model_validate_json((bundle / MANIFEST).read_bytes())
    save_manifest(bundle, manifest.model_copy(update={"files": hash_files(bundle)}))
    return "model.onnx: refers to external data"


DAMAGES = [flip_a_byte, remove_a_file, add_a_file, add_a_key, cut_the_manifest, refer_elsewhere]


def assert_one_line(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    assert ended.returncode != 0
    [line] = ended.stderr.strip().splitlines()
    assert line.startswith("sluice: ")
    for word in words:
        assert word in line


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_bundle_stops_the_start(damaged: Path, damage: Callable[[Path], str]) -> None:
    bundle = damaged / "ner" / "1.0.0"
    reason = damage(bundle)
    ended = run_service("--port", str(free_port()), SLUICE_BUNDLES=str(damaged))
    assert_one_line(ended, str(bundle), reason)


def test_a_damaged_bundle_stops_plain_bentoml_too(damaged: Path, tmp_path: Path) -> None:
    reason = flip_a_byte(damaged / "ner" / "1.0.0")
    ended = serve_with_bentoml(tmp_path, SLUICE_BUNDLES=str(damaged))
    assert_one_line(ended, reason)


def test_a_wrong_setting_stops_plain_bentoml_too(tmp_path: Path) -> None:
    assert_one_line(serve_with_bentoml(tmp_path, SLUICE_DEVICE="tpu"), "SLUICE_DEVICE='tpu'")


def serve_with_bentoml(home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bentoml", "serve", "service.app:Sluice", "-p", str(free_port())],
        cwd=ROOT,
        env=environment(BENTOML_HOME=str(home), **settings),
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    "name, value", [("SLUICE_DEVCE", "cpu"), ("SLUICE_DEVICE", "tpu"), ("SLUICE_WORKERS", "0")]
)
def test_a_wrong_setting_stops_the_start(name: str, value: str) -> None:
    assert_one_line(run_service(**{name: value}), name, value)


def test_a_folder_without_bundles_stops_the_start(tmp_path: Path) -> None:
    ended = run_service("--port", str(free_port()), SLUICE_BUNDLES=str(tmp_path))
    assert_one_line(ended, str(tmp_path), "SLUICE_BUNDLES")


def test_a_precision_that_a_bundle_lacks_stops_the_start(tiny_bundles: Path) -> None:
    ended = run_service(
        "--port", str(free_port()), SLUICE_BUNDLES=str(tiny_bundles), SLUICE_PRECISION="int8"
    )
    assert_one_line(ended, "detection", "int8")


@pytest.mark.skipif(
    "CUDAExecutionProvider" in ort.get_available_providers(), reason="this machine may have one"
)
def test_cuda_where_there_is_none_stops_the_start(tiny_bundles: Path) -> None:
    ended = run_service(
        "--port", str(free_port()), SLUICE_BUNDLES=str(tiny_bundles), SLUICE_DEVICE="cuda"
    )
    assert_one_line(ended, "cuda", "CPUExecutionProvider", "SLUICE_DEVICE=cpu")


def test_a_taken_port_stops_the_start() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert_one_line(run_service("--port", str(port)), f"PORT={port}", "choose another")


@pytest.mark.parametrize("port", ["0", "70000", "http"])
def test_a_wrong_port_stops_the_start(port: str) -> None:
    assert_one_line(run_service(PORT=port), f"PORT={port!r}")


def test_a_wrong_host_stops_the_start() -> None:
    ended = run_service("--host", "no such host", "--port", str(free_port()))
    assert_one_line(ended, "HOST='no such host'")
