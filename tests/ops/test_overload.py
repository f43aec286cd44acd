"""More load than capacity: what can be answered is, the rest hears so at once, and it passes."""

import time
from pathlib import Path

import pytest

from tests.e2e.processes import running_service
from tests.ops.callers import Callers
from tests.ops.record import record

pytestmark = pytest.mark.ops

_SECONDS = 12.0


@pytest.mark.parametrize("times", [2, 5])
def test_goodput_holds_refusals_are_prompt_and_it_recovers(bundles_dir: Path, times: int) -> None:
    with running_service(bundles_dir, SLUICE_QUEUE_TOKENS="2000") as server:
        Callers(server.url, 4, connections=32).result()
        peak = Callers(server.url, _SECONDS, connections=64).result().rate(2, _SECONDS)
        flood = Callers(server.url, _SECONDS, rate=times * peak).result()
        ended = time.monotonic()
        while time.monotonic() - ended < 30:
            began = time.monotonic()
            if server.post("/ner", {"inputs": "John Smith"}).status_code == 200:
                break
        recovery_s = time.monotonic() - began
        goodput = flood.rate(2, _SECONDS)
        record(
            f"overload x{times}",
            peak=round(peak, 1),
            goodput=round(goodput, 1),
            refusal_median_ms=round(1000 * flood.median_s(429), 1),
            recovery_s=round(recovery_s, 2),
            statuses=flood.by_status(),
        )
    assert set(flood.by_status()) <= {200, 429, 504}
    assert goodput >= 0.95 * peak
    assert flood.median_s(429) <= 0.020
    assert recovery_s <= 2
