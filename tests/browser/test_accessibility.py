"""axe-core finds nothing serious on any page, light or dark; screenshots are kept to look at."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.processes import ROOT, Server

if TYPE_CHECKING:
    from tests.browser.conftest import Open

AXE = Path(__file__).with_name("axe.min.js")
SCREENSHOTS = ROOT / "reports" / "screenshots"
READY = {
    "/#entities": "#entities mark",
    "/#sentiment": "#sentiment .verdict",
    "/#translation": "#translation .alternatives button",
    "/live": "#slots .slot",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", READY)
def test_axe_finds_nothing_serious(server: Server, visit: "Open", path: str, scheme: str) -> None:
    page = visit(server.url + path, color_scheme=scheme, reduced_motion="reduce")
    page.locator(READY[path]).first.wait_for()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    serious = {
        fault["id"]: [node["html"] for node in fault["nodes"]]
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    }
    assert not serious


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("path", READY)
def test_screenshots_are_written(
    server: Server, visit: "Open", path: str, width: int, scheme: str
) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    viewport = {"width": width, "height": 860}
    page = visit(server.url + path, viewport=viewport, color_scheme=scheme)
    page.locator(READY[path]).first.wait_for()
    image = SCREENSHOTS / f"{path.strip('/#')}-{width}-{scheme}.png"
    page.screenshot(path=image, full_page=True)
    assert image.stat().st_size > 10_000
