"""Streams: what a caller reads, and that the rows leave when the caller does."""

import asyncio
import json
from collections.abc import AsyncGenerator, MutableMapping
from typing import Any

from service.http.messages import Request
from service.http.streaming import EventStream, Item
from tests.unit.service.http.served import Served, counted

EN_DE = {"src_lang": "en", "tgt_lang": "de"}
PATH = "/translate/stream"


def events(text: str) -> list[tuple[str | None, Any]]:
    """Name and data of each event."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        found.append((lines.get("event"), json.loads(lines["data"])))
    return found


def test_a_stream_ends_with_the_answer_that_its_pieces_make(served: Served) -> None:
    text = "how are you? fine.\nand you?"
    response = served.post(PATH, {"inputs": text, "parameters": EN_DE})
    assert response.headers["content-type"] == "text/event-stream"
    *pieces, (name, answer) = events(response.text)
    assert name == "end"
    assert "".join(data["text"] for _, data in pieces) == answer["translation_text"]
    body = {"inputs": text, "parameters": {**EN_DE, "num_beams": 1}}
    assert served.post("/translate", body).json() == [answer]


def test_what_cannot_be_streamed_is_a_plain_problem(served: Served) -> None:
    several = served.post(PATH, {"inputs": ["a"], "parameters": EN_DE})
    wide = served.post(PATH, {"inputs": "a", "parameters": {**EN_DE, "num_beams": 4}})
    nowhere = served.post(PATH, {"inputs": "a", "parameters": {"tgt_lang": "xx"}})
    assert [each.status_code for each in (several, wide, nowhere)] == [422, 422, 404]
    assert {each.headers["content-type"] for each in (several, wide, nowhere)} == {
        "application/problem+json"
    }
    assert "num_beams is 4" in wide.json()["detail"]


def test_a_stream_is_counted_like_any_request(served: Served) -> None:
    sample = 'sluice_requests_total{model_version="1.0.0",status="200",task="translation"}'
    before = counted(sample)
    served.post(PATH, {"inputs": "how are you?", "parameters": EN_DE})
    assert counted(sample) == before + 1
    assert counted("sluice_requests_in_progress") == 0


class Endless:
    """Items without end; knows whether it was closed."""

    def __init__(self) -> None:
        self.closed = False

    async def items(self) -> AsyncGenerator[Item, None]:
        try:
            while True:
                yield "word "
                await asyncio.sleep(0.001)
        finally:
            self.closed = True


async def listen(served: Served, endless: Endless, *, reads: bool) -> list[bytes]:
    """A caller of a stream who hangs up after half a second; a slow one reads nothing."""
    [handler] = [each for each in served.application.handlers if each.route.stream_path]
    read: list[bytes] = []
    began = asyncio.get_running_loop().time()

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.sleep(0.5)
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if not reads and message["type"] == "http.response.body":
            await asyncio.Event().wait()
        read.append(message.get("body", b""))

    request = Request("POST", PATH, {}, receive, began)
    handler.metrics.began()
    items = endless.items()
    await EventStream(handler, request, 60, await anext(items), items).send(send)
    return read


def test_a_caller_who_hangs_up_ends_the_stream(served: Served) -> None:
    endless = Endless()
    assert len(served.run(listen(served, endless, reads=True))) > 3
    assert endless.closed


def test_a_caller_who_reads_nothing_and_hangs_up_ends_the_stream(served: Served) -> None:
    endless = Endless()
    assert len(served.run(listen(served, endless, reads=False))) == 1
    assert endless.closed
