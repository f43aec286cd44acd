"""A stream: pieces in reading order, each character once, none before it is whole."""

import asyncio
from collections.abc import Sequence

from service.engine.rows import Hypothesis, Result, Token
from service.tasks.streaming import TextStream

News = tuple[int, Token | Result]


def text_of(row: int, ids: Sequence[int], whole: bool) -> str:
    """Ids are bytes."""
    return bytes(ids).decode(errors="replace")


def result(text: bytes) -> Result:
    return Result([Hypothesis(list(text), 0.0)], 0, 0, 1)


async def told(stream: TextStream, *news: News) -> list[str]:
    """What the stream tells if its reader is quicker than its news."""
    heard: list[str] = []

    async def listen() -> None:
        heard.extend([piece async for piece in stream.pieces()])

    reader = asyncio.create_task(listen())
    for row, each in news:
        stream.hear(row, each)
        for _ in range(3):
            await asyncio.sleep(0)
    stream.end(asyncio.get_running_loop().create_future())
    await reader
    return heard


async def test_each_token_is_told_when_it_is_found() -> None:
    news: list[News] = [(0, Token(byte)) for byte in b"abc"]
    assert await told(TextStream(["", ""], text_of), *news, (0, result(b"abcd"))) == list("abcd")


async def test_a_later_row_waits_for_the_earlier_one() -> None:
    stream = TextStream(["", "\n", ""], text_of)
    news: list[News] = [(1, Token(98)), (0, Token(97)), (1, result(b"b")), (0, result(b"a"))]
    assert await told(stream, *news) == ["a", "\nb"]


async def test_half_a_character_waits_for_its_other_half() -> None:
    first, second = "\u00e9".encode()
    news: list[News] = [(0, Token(first)), (0, Token(second)), (0, result("\u00e9".encode()))]
    assert await told(TextStream(["", ""], text_of), *news) == ["\u00e9"]


async def test_bytes_that_stay_no_character_are_told_at_the_end() -> None:
    news: list[News] = [(0, Token(0xC3)), (0, result(b"\xc3"))]
    assert await told(TextStream(["", ""], text_of), *news) == ["\ufffd"]
