"""A real browser before the real service; skipped, with the reason, where there is none."""

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import server, tiny_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["server", "tiny_server"]
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Chromium, as Debian packages it.

    A module's, not the session's: while it is open, Playwright's event loop runs in this thread,
    and no asynchronous test can.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium here: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: "Browser") -> Iterator[Open]:
    """Opens an address in a fresh profile; the test fails if the page broke or its policy did."""
    faults: list[str] = []
    contexts = []

    def open_page(address: str, **told: Any) -> "Page":
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **told})
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.set_default_timeout(30_000)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    # Chromium itself notes each answer that is no success.
    broken = [fault for fault in faults if not fault.startswith("Failed to load resource")]
    assert not broken
