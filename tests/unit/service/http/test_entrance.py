"""The entrance: a full queue is told by the head, and whoever was let in counts at once."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from service.http.entrance import Entrance
from service.http.messages import Response
from tests.unit.service.http.listening import eventually
from tests.unit.service.http.served import GatedModel, Served, counted

T = TypeVar("T")
USUAL = 8
"""Words of each request here; the queue has room for twenty."""


class Bench:
    """The entrance of a service whose queue holds one request of the usual size."""

    def __init__(self, served: Served, model: GatedModel) -> None:
        self.served = served
        self.entrance: Entrance = served.application.handlers[0].entrance
        first = self._send()
        assert model.entered.wait(5)
        self.answers = [first, self._send()]
        eventually(lambda: len(served.lanes[0].queue) == 1)
        served.lanes[0].queue.usual = USUAL

    def _send(self) -> Callable[[], Any]:
        body = {"inputs": "a " * USUAL}
        return self.served.begin(self.served.call("POST", "/ner", json=body))

    def in_one_turn(self, work: Callable[[], T]) -> T:
        async def turn() -> T:
            return work()

        return self.served.run(turn())

    def turn_away(self, times: int) -> list[Response | None]:
        """What so many heads are told that are read in one turn of the event loop."""
        return self.in_one_turn(lambda: [self.entrance.turn_away(30) for _ in range(times)])


@pytest.fixture
def bench(gated: tuple[Served, GatedModel]) -> Bench:
    return Bench(*gated)


def statuses(told: list[Response | None]) -> list[int | None]:
    return [each and each.status for each in told]


def test_who_was_let_in_counts_before_any_row_is_queued(bench: Bench) -> None:
    assert statuses(bench.turn_away(3)) == [None, 429, 429]


def test_who_was_let_in_and_never_came_counts_no_longer_in_the_next_turn(bench: Bench) -> None:
    bench.turn_away(3)
    assert statuses(bench.turn_away(2)) == [None, 429]


def test_a_row_that_is_queued_at_once_counts_once(bench: Bench) -> None:
    def enter_and_queue() -> list[Response | None]:
        bench.entrance.turn_away(30)
        bench.entrance.queued()
        return [bench.entrance.turn_away(30)]

    assert statuses(bench.in_one_turn(enter_and_queue)) == [None]


def test_a_head_that_tells_of_a_long_text_needs_more_room(bench: Bench) -> None:
    [told] = bench.in_one_turn(lambda: [bench.entrance.turn_away(64 * 13)])
    assert told is not None
    assert told.status == 429


def test_each_refusal_counts_though_they_are_told_alike(bench: Bench) -> None:
    name = 'sluice_refusals_total{model_version="1.0.0",reason="queue-full",task="ner"}'
    before = counted(name)
    told = bench.turn_away(21)
    assert counted(name) == before + 20
    assert len({each.body for each in told if each}) == 1


def test_a_service_that_closes_says_so(bench: Bench) -> None:
    async def close() -> Response | None:
        bench.served.lanes[0].queue.close()
        await asyncio.sleep(0)
        return bench.entrance.turn_away(30)

    told = bench.served.run(close())
    assert told is not None
    assert told.status == 503


def test_there_is_room_again_when_the_queue_is_served(
    bench: Bench, gated: tuple[Served, GatedModel]
) -> None:
    bench.turn_away(3)
    gated[1].gate.set()
    assert [answer().status_code for answer in bench.answers] == [200, 200]
    assert statuses(bench.turn_away(1)) == [None]
