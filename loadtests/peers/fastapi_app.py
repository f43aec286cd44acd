"""FastAPI and uvicorn with a batcher as one writes it by hand.

Requests wait in a list; a task takes up to `batch` of them whenever the model is free and runs
them in a thread. Nobody waits for a batch to fill unless `wait_ms` says so.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import uvicorn
from fastapi import FastAPI, Request, Response

from loadtests.peers.tagger import PeerSettings, Tagger

SETTINGS = PeerSettings.from_environment()


class Batcher:
    """Joins what is waiting into one call of the model."""

    def __init__(self, tag: Tagger) -> None:
        self._tag = tag
        self._waiting: list[tuple[str, asyncio.Future[Any]]] = []
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1)

    async def answer(self, text: str) -> Any:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((text, future))
        self._arrived.set()
        return await future

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            if SETTINGS.wait_ms and len(self._waiting) < SETTINGS.batch:
                await asyncio.sleep(SETTINGS.wait_ms / 1000)
            batch = self._waiting[: SETTINGS.batch]
            del self._waiting[: SETTINGS.batch]
            if not self._waiting:
                self._arrived.clear()
            answers = await loop.run_in_executor(self._thread, self._tag, [t for t, _ in batch])
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.batcher = Batcher(Tagger(SETTINGS))
    task = asyncio.create_task(app.state.batcher.run())
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)


@app.post("/ner")  # type: ignore[untyped-decorator]
async def ner(request: Request) -> Response:
    body = orjson.loads(await request.body())
    answer = await request.app.state.batcher.answer(body["inputs"])
    return Response(orjson.dumps(answer), media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(
        "loadtests.peers.fastapi_app:app",
        host="127.0.0.1",
        port=SETTINGS.port,
        workers=SETTINGS.workers,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
