"""LitServe with its own batching."""

from typing import Any

import litserve

from loadtests.peers.tagger import PeerSettings, Tagger


class NerApi(litserve.LitAPI):  # type: ignore[misc]
    def __init__(self, settings: PeerSettings) -> None:
        super().__init__(
            max_batch_size=settings.batch,
            batch_timeout=settings.wait_ms / 1000,
            api_path="/ner",
        )
        self._settings = settings

    def setup(self, device: str) -> None:
        self._tag = Tagger(self._settings)

    def decode_request(self, request: dict[str, Any]) -> str:
        return str(request["inputs"])

    def batch(self, inputs: list[str]) -> list[str]:
        return list(inputs)

    def predict(self, x: Any) -> Any:
        return self._tag(x) if isinstance(x, list) else self._tag([x])[0]

    def unbatch(self, output: list[Any]) -> list[Any]:
        return output

    def encode_response(self, output: Any) -> Any:
        return output


def main() -> None:
    settings = PeerSettings.from_environment()
    server = litserve.LitServer(
        NerApi(settings),
        accelerator="cpu",
        workers_per_device=settings.workers,
        timeout=120,
        fast_queue="fast_queue" in settings.extra,
    )
    server.run(
        host="127.0.0.1",
        port=settings.port,
        num_api_servers=2 if "two_servers" in settings.extra else 1,
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
