"""How soon the playground listens: `python -m tests.browser.interactive [URL] [--visits 9]`.

Prints medians over fresh profiles and asserts nothing: times belong to a machine. The bytes are
those on the wire, packed and with their headers.
"""

import argparse
import shutil
import statistics
import sys
from typing import TYPE_CHECKING, NamedTuple

from playwright.sync_api import sync_playwright

from tests.browser.conftest import QUIET

if TYPE_CHECKING:
    from playwright.sync_api import Browser


class Visit(NamedTuple):
    """One first load; milliseconds since the address was entered."""

    listens_ms: float
    answered_ms: float
    kilobytes: float


def visit(browser: "Browser", url: str) -> Visit:
    """Opens `url` as somebody who never was here."""
    context = browser.new_context()
    page = context.new_page()
    received: list[float] = []
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda told: received.append(told["encodedDataLength"]))
    page.goto(url)
    answered_ms = page.evaluate(
        """() => new Promise((told) => {
            const look = () => document.querySelector("#entities mark")
                ? told(performance.now()) : requestAnimationFrame(look);
            look();
        })"""
    )
    listens_ms = page.evaluate('performance.getEntriesByName("interactive")[0].startTime')
    page.wait_for_load_state("networkidle")
    context.close()
    return Visit(listens_ms, answered_ms, sum(received) / 1000)


def main() -> None:
    """Visits a running service some times."""
    parser = argparse.ArgumentParser(description="how soon the playground listens")
    parser.add_argument("url", nargs="?", default="http://localhost:3000")
    parser.add_argument("--visits", type=int, default=9)
    told = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("no chromium here: apt-get install chromium")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=list(QUIET))
        visits = [visit(browser, told.url) for _ in range(told.visits)]
        browser.close()
    print(_summary(visits))


def _summary(visits: list[Visit]) -> str:
    listens, answered, kilobytes = (
        statistics.median(column) for column in zip(*visits, strict=True)
    )
    slowest = max(visit.listens_ms for visit in visits)
    return (
        f"median of {len(visits)} first visits: listens after {listens:.0f} ms "
        f"(slowest {slowest:.0f} ms), first answer after {answered:.0f} ms, {kilobytes:.1f} kB"
    )


if __name__ == "__main__":
    main()
