"""Who is compared: this service and its peers, how each is started, and with which settings."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from loadtests.peers.tagger import SETTINGS, PeerSettings
from loadtests.processes import Server, free_port, running
from loadtests.texts import ROOT, list_input, one_input, open_inference_input
from service.bundle import find_bundles

BUNDLES = ROOT / "exported_models"
OURS = "sluice"
OURS_MOUNTED = "sluice, mounted in BentoML"
IDIOMATIC = "bentoml, idiomatic"
HAND_WRITTEN = "fastapi, hand-written batcher"

Choice = dict[str, object]
"""Fields of PeerSettings, or settings of ours."""

BEST: Mapping[str, str] = {"SLUICE_WORKERS": str(os.cpu_count()), "SLUICE_LEAN_PATH": "true"}
"""Our own best setting; all parts of the benchmark use it."""


class Contender(NamedTuple):
    """A server; `choices` are the settings to try, the best of which is taken."""

    name: str
    environment: str
    command: tuple[str, ...]
    path: str
    body: Callable[[str], object]
    choices: tuple[Choice, ...]

    @property
    def off_the_shelf(self) -> bool:
        return self.name not in (OURS, HAND_WRITTEN)


def _grid(batches: tuple[int, ...], waits_ms: tuple[float, ...], **more: object) -> list[Choice]:
    return [{"batch": batch, "wait_ms": wait, **more} for batch in batches for wait in waits_ms]


def _module(name: str) -> tuple[str, ...]:
    return ("python", "-m", f"loadtests.peers.{name}")


def _bentoml(name: str) -> tuple[str, ...]:
    service = f"loadtests.peers.{name}:Ner"
    return ("bentoml", "serve", service, "--working-dir", str(ROOT), "--host", "127.0.0.1")


PEERS = (
    Contender(
        HAND_WRITTEN,
        "fastapi",
        _module("fastapi_app"),
        "/ner",
        one_input,
        (*_grid((32, 64, 128), (0.0,)), *_grid((64,), (2.0,))),
    ),
    Contender(
        "bentoml, tuned",
        "bentoml",
        _bentoml("bentoml_tuned"),
        "/ner",
        list_input,
        tuple(_grid((32, 64, 128), (0.0,))),
    ),
    Contender(
        IDIOMATIC,
        "bentoml",
        _bentoml("bentoml_idiomatic"),
        "/ner",
        list_input,
        ({"workers": 1, "threads": os.cpu_count()},),
    ),
    Contender(
        "litserve",
        "litserve",
        _module("litserve_server"),
        "/ner",
        one_input,
        (
            *_grid((16, 64), (2.0,)),
            *_grid((64,), (0.0, 2.0), extra="two_servers"),
            *_grid((32, 64), (2.0,), extra="fast_queue two_servers"),
        ),
    ),
    Contender(
        "torchserve",
        "torchserve",
        _module("torchserve_handler"),
        "/predictions/ner",
        one_input,
        (*_grid((16, 32, 64), (2.0,)), *_grid((16, 64), (5.0,))),
    ),
    Contender(
        "mlserver",
        "mlserver",
        _module("mlserver_runtime"),
        "/v2/models/ner/infer",
        open_inference_input,
        (*_grid((16,), (2.0, 10.0)), *_grid((64,), (5.0,)), *_grid((64,), (5.0,), workers=1)),
    ),
    Contender(
        "ray serve",
        "ray",
        _module("ray_deployment"),
        "/ner",
        one_input,
        (*_grid((16, 64), (2.0,)), *_grid((64,), (5.0,), workers=1)),
    ),
)


def is_installed(contender: Contender, environments: Path) -> bool:
    return (environments / contender.environment / "ready").is_file()


@contextlib.contextmanager
def serving_peer(
    contender: Contender, choice: Choice, environments: Path, logs: Path
) -> Iterator[Server]:
    """The peer in its own environment. ServerFailed if it does not answer."""
    port = free_port()
    settings = PeerSettings(str(find_bundles(BUNDLES)["ner"]), port, **choice)  # type: ignore[arg-type]
    folder = environments / contender.environment / "bin"
    command = [str(folder / contender.command[0]), *contender.command[1:]]
    if contender.command[0] == "bentoml":
        command += ["--port", str(port)]
    log = logs / f"{contender.name.split(',')[0]}.log"
    variables = {
        SETTINGS: settings.to_json(),
        "BENTOML_HOME": str(logs / "bentoml"),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    with running(command, port, contender.path, contender.body("Oslo"), log, variables) as server:
        yield server


@contextlib.contextmanager
def serving_sluice(
    logs: Path, path: str = "/ner", bundles: Path = BUNDLES, settings: Mapping[str, str] = {}
) -> Iterator[Server]:
    """This service at its best setting, but for what `settings` say otherwise."""
    port = free_port()
    command = [sys.executable, "-m", "service", "--port", str(port)]
    variables = {"SLUICE_BUNDLES": str(bundles), **BEST, **settings}
    body: dict[str, object] = {"inputs": "Oslo"}
    if path == "/translate":
        body["parameters"] = {"tgt_lang": "de"}
    with running(command, port, path, body, logs / "sluice.log", variables) as server:
        yield server
