"""How ratios are formed: the worse of our runs against the best of the peers."""

import msgspec
import pytest

from loadtests.comparison import Comparison, Measured
from loadtests.contenders import HAND_WRITTEN, IDIOMATIC, OURS
from loadtests.openloop import OpenLoad
from loadtests.results import Ratio, against_peers
from loadtests.wrk import Load


def _run(name: str, per_second: float, p99_ms: float, refused: int = 0) -> Measured:
    loads = [
        Load(int(per_second), 1.0, p99_ms / 2, p99_ms, p99_ms, p99_ms, 0, 0, connections)
        for connections in (1, 8, 32, 128)
    ]
    opened = OpenLoad(100, 1, 100, 100, p99_ms / 2, p99_ms, refused, 0, 0, 0, 0)
    return Measured(name, {}, name not in (OURS, HAND_WRITTEN), loads, opened)


COMPARISON = Comparison(
    ours=_run(OURS, 1000, 100),
    mounted=_run(OURS, 800, 200),
    peers=[
        _run(HAND_WRITTEN, 500, 250),
        _run("shelf", 250, 200),
        _run(IDIOMATIC, 100, 900),
        Measured("absent", {}, True, failure="not installed"),
    ],
    ours_again=_run(OURS, 900, 150),
)


def test_the_worse_of_our_runs_meets_the_best_peer() -> None:
    found = {ratio.name.split(",")[0]: ratio for ratio in against_peers(COMPARISON)}
    assert found["our req/s / best peer's"].measured == pytest.approx(900 / 500)
    assert found["our req/s / best off-the-shelf peer's"].measured == pytest.approx(900 / 250)
    assert found["our req/s / idiomatic BentoML's"].measured == pytest.approx(900 / 100)
    assert found["our p99 / best peer's p99"].measured == pytest.approx(150 / 200)


def test_a_peer_that_refuses_sets_no_mark_of_speed() -> None:
    refusing = _run("shelf", 250, 2, refused=50)
    found = msgspec.structs.replace(COMPARISON, peers=[COMPARISON.peers[0], refusing])
    open_loop = next(ratio for ratio in against_peers(found) if "open loop" in ratio.name)
    assert open_loop.measured == pytest.approx(150 / 250)


def test_a_ratio_without_peers_is_not_measured_and_not_reached() -> None:
    alone = msgspec.structs.replace(COMPARISON, peers=[])
    assert [ratio.measured for ratio in against_peers(alone)] == [None] * 5
    assert not any(ratio.reached for ratio in against_peers(alone))


@pytest.mark.parametrize(
    "bound, measured, reached",
    [("at least", 1.5, True), ("at least", 1.49, False), ("at most", 1.51, False)],
)
def test_a_bound_is_kept_or_not(bound: str, measured: float, reached: bool) -> None:
    ratio = msgspec.convert(
        {"name": "x", "asked": 1.5, "bound": bound, "measured": measured}, type=Ratio
    )
    assert ratio.reached is reached
