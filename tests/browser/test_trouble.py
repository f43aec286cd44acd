"""What a person sees when the service is full, gone, or behind a key."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.processes import ROOT, Server, free_port, running

if TYPE_CHECKING:
    from tests.browser.conftest import Open


def test_a_full_queue_counts_down_and_tries_again(tiny_server: Server, visit: "Open") -> None:
    page = visit(tiny_server.url)
    page.locator("#entities mark").wait_for()
    headers = {"Retry-After": "2", "Content-Type": "application/problem+json"}
    page.route(
        "**/ner", lambda route: route.fulfill(status=429, headers=headers, body="{}"), times=1
    )
    page.fill("#entities textarea", "Agnes Smith")
    page.locator("#notice", has_text="The queue is full. Trying again in").wait_for()
    assert page.locator("#notice .left").inner_text() in ("1", "2")
    page.locator("#entities .text", has_text="Agnes").wait_for()
    assert page.locator("#notice").is_hidden()


def test_a_restart_while_one_types_loses_nothing(tiny_bundles: Path, visit: "Open") -> None:
    port = free_port()
    command = [sys.executable, "-m", "service", "--port", str(port)]
    with running(command, port, ROOT, SLUICE_BUNDLES=str(tiny_bundles)) as server:
        page = visit(f"{server.url}/#entities")
        page.locator("#entities mark").wait_for()
    page.fill("#entities textarea", "John Smith and his dog")
    page.locator("#notice", has_text="cannot be reached").wait_for()
    assert page.locator("#state").inner_text() == "no answer"
    with running(command, port, ROOT, SLUICE_BUNDLES=str(tiny_bundles)):
        page.locator("#entities .text", has_text="his dog").wait_for()
        assert page.locator("#notice").is_hidden()
        assert page.locator("#state").inner_text().endswith("models ready")


def test_a_page_that_needs_a_key_asks_for_it(tiny_server: Server, visit: "Open") -> None:
    page = visit(tiny_server.url)
    page.locator("#entities mark").wait_for()
    refusal = '{"type": "/problems/unauthorized", "detail": "no key; send one"}'

    def guard(route: object, request: object) -> None:
        if request.headers.get("authorization") == "Bearer secret":  # type: ignore[attr-defined]
            route.continue_()  # type: ignore[attr-defined]
        else:
            route.fulfill(status=401, body=refusal)  # type: ignore[attr-defined]

    page.route("**/ner", guard)
    page.fill("#entities textarea", "Agnes Smith")
    page.locator("#notice", has_text="No key").wait_for()
    page.get_by_label("API key").fill("secret")
    page.get_by_role("button", name="Use it").click()
    page.locator("#entities .text", has_text="Agnes").wait_for()
