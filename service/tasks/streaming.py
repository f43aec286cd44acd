"""A text that is told while it is found: tokens of several rows in, pieces in reading order out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from service.engine.rows import Result, Token

_INCOMPLETE = "\ufffd"
"""What bytes decode to that are no character yet: they wait for the next token."""


TextOf = Callable[[int, Sequence[int], bool], str]
"""The text of a row, of its tokens so far, and whether that is all of them."""


class TextStream:
    """The text of rows that are decoded side by side, told from its start to its end.

    `spacing` is what stands before the first row, between any two, and behind the last. What later
    rows find waits until the earlier ones are complete.
    """

    def __init__(self, spacing: Sequence[str], text_of: TextOf) -> None:
        self._spacing, self._text_of = spacing, text_of
        self._ids: list[list[int]] = [[] for _ in spacing[1:]]
        self._complete = [False for _ in spacing[1:]]
        self._row, self._told = 0, 0
        self._news = asyncio.Event()
        self._ended = False

    def hear(self, row: int, news: Token | Result) -> None:
        """The next token of a row, or its whole result."""
        if isinstance(news, Token):
            self._ids[row].append(news.id)
        else:
            self._ids[row], self._complete[row] = news.value[0].ids, True
        self._news.set()

    def end(self, work: "asyncio.Future[list[Result]]") -> None:
        """Nothing more will come."""
        self._ended = True
        self._news.set()

    async def pieces(self) -> AsyncIterator[str]:
        """Each piece once, as soon as it can be told; none is empty."""
        if self._spacing[0]:
            yield self._spacing[0]
        while not self._ended:
            await self._news.wait()
            self._news.clear()
            if piece := self._next():
                yield piece

    def _next(self) -> str:
        piece = ""
        while self._row < len(self._ids):
            complete = self._complete[self._row]
            text = self._text_of(self._row, self._ids[self._row], complete)
            if not complete:
                text = text.rstrip(_INCOMPLETE)
            piece += text[self._told :]
            self._told = max(self._told, len(text))
            if not complete:
                break
            self._row, self._told = self._row + 1, 0
            piece += self._spacing[self._row]
        return piece
