"""TorchServe: a handler, and a launcher that archives it and starts the server.

TorchServe imports this file by itself, outside of its package, in each of its workers.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from loadtests.peers.tagger import PeerSettings, Tagger


class NerHandler:
    """The three methods that TorchServe calls, in one."""

    def initialize(self, context: Any) -> None:
        self._tag = Tagger(PeerSettings.from_environment())

    def handle(self, data: list[dict[str, Any]], context: Any) -> list[Any]:
        return self._tag([_body(request)["inputs"] for request in data])


def _body(request: dict[str, Any]) -> dict[str, str]:
    body = request["body"]
    decoded: dict[str, str] = body if isinstance(body, dict) else json.loads(body)
    return decoded


def main() -> None:
    settings = PeerSettings.from_environment()
    folder = Path(tempfile.mkdtemp(prefix="torchserve-"))
    bin_folder = Path(sys.executable).parent
    archiver = [
        str(bin_folder / "torch-model-archiver"),
        *("--model-name", "ner", "--version", "1.0"),
        *("--handler", __file__, "--export-path", str(folder)),
    ]
    subprocess.run(archiver, check=True)
    (folder / "config.properties").write_text(_configuration(settings))
    os.environ["PATH"] = f"{bin_folder}:{os.environ['PATH']}"
    os.environ["LOG_LOCATION"] = os.environ["METRICS_LOCATION"] = str(folder)
    os.chdir(folder)
    server = [
        str(bin_folder / "torchserve"),
        *("--start", "--foreground", "--ncs", "--disable-token-auth"),
        *("--model-store", str(folder), "--ts-config", str(folder / "config.properties")),
    ]
    os.execv(server[0], server)


def _configuration(settings: PeerSettings) -> str:
    model = {
        "marName": "ner.mar",
        "minWorkers": settings.workers,
        "maxWorkers": settings.workers,
        "batchSize": settings.batch,
        "maxBatchDelay": max(1, round(settings.wait_ms)),
        "responseTimeout": 120,
    }
    lines = {
        "inference_address": f"http://127.0.0.1:{settings.port}",
        "management_address": f"http://127.0.0.1:{settings.port + 1}",
        "metrics_address": f"http://127.0.0.1:{settings.port + 2}",
        "load_models": "ner.mar",
        "models": json.dumps({"ner": {"1.0": {"defaultVersion": True, **model}}}),
        "job_queue_size": 2000,
        "disable_system_metrics": "true",
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


if __name__ == "__main__":
    main()
