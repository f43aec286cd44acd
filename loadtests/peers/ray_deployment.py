"""Ray Serve with its own batching."""

import signal
from typing import Any

import ray
from ray import serve
from starlette.requests import Request

from loadtests.peers.tagger import PeerSettings, Tagger

SETTINGS = PeerSettings.from_environment()


@serve.deployment(
    num_replicas=SETTINGS.workers,
    max_ongoing_requests=1024,
    ray_actor_options={"num_cpus": 1},
)
class Ner:
    def __init__(self) -> None:
        self._tag = Tagger(SETTINGS)

    @serve.batch(  # type: ignore[untyped-decorator]
        max_batch_size=SETTINGS.batch, batch_wait_timeout_s=SETTINGS.wait_ms / 1000
    )
    async def answer(self, texts: list[str]) -> list[Any]:
        return self._tag(texts)

    async def __call__(self, request: Request) -> Any:
        body = await request.json()
        return await self.answer(body["inputs"])


def main() -> None:
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": SETTINGS.port})
    quiet = {"log_level": "ERROR", "enable_access_log": False}
    deployment: Any = Ner
    serve.run(deployment.bind(), route_prefix="/ner", logging_config=quiet)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    main()
