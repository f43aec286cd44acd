"""MLServer: a runtime with adaptive batching, and a launcher that writes its settings.

Adaptive batching works on its own inference protocol alone, so that its request is longer.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.types import InferenceRequest, InferenceResponse

from loadtests.peers.tagger import PeerSettings, Tagger


class NerRuntime(MLModel):  # type: ignore[misc]
    async def load(self) -> bool:
        self._tag = Tagger(PeerSettings.from_environment())
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        answers = self._tag(StringCodec.decode_input(payload.inputs[0]))
        texts = [json.dumps(answer) for answer in answers]
        output = StringCodec.encode_output("entities", texts, use_bytes=False)
        return InferenceResponse(model_name=self.name, outputs=[output])


def main() -> None:
    settings = PeerSettings.from_environment()
    folder = Path(tempfile.mkdtemp(prefix="mlserver-"))
    server = {
        "host": "127.0.0.1",
        "http_port": settings.port,
        "grpc_port": settings.port + 1,
        "metrics_endpoint": None,
        "parallel_workers": settings.workers,
        "debug": False,
    }
    model = {
        "name": "ner",
        "implementation": "loadtests.peers.mlserver_runtime.NerRuntime",
        "max_batch_size": settings.batch,
        "max_batch_time": settings.wait_ms / 1000,
    }
    (folder / "settings.json").write_text(json.dumps(server))
    (folder / "model-settings.json").write_text(json.dumps(model))
    program = str(Path(sys.executable).parent / "mlserver")
    os.execv(program, [program, "start", str(folder)])


if __name__ == "__main__":
    main()
