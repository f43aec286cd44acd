"""The live page draws what the service counts."""

from typing import TYPE_CHECKING

from tests.e2e.processes import Server

if TYPE_CHECKING:
    from tests.browser.conftest import Open


def test_the_load_button_makes_the_charts_move(tiny_server: Server, visit: "Open") -> None:
    page = visit(f"{tiny_server.url}/live")
    page.get_by_role("button", name="Send a short load").click()
    page.locator("#load-state", has_text="answered").wait_for(timeout=30_000)
    rates = page.get_by_label("Requests", exact=True).locator("polyline")
    assert rates.count() >= 3
    for i in range(rates.count()):
        heights = {
            point.partition(",")[2]
            for point in (rates.nth(i).get_attribute("points") or "").split()
        }
        assert len(heights) > 1
    assert "steps in the last second" in page.locator("#decoder-now").inner_text()


def test_a_load_is_offered_on_the_own_machine_only(tiny_server: Server, visit: "Open") -> None:
    port = tiny_server.url.rpartition(":")[2]
    page = visit(f"http://sluice.localhost:{port}/live")
    page.locator("#slots .slot").first.wait_for()
    assert page.get_by_role("button", name="Send a short load").count() == 0


def test_metrics_on_a_port_of_operators_leave_no_load_to_send(
    tiny_server: Server, visit: "Open"
) -> None:
    page = visit("about:blank")
    page.route("**/metrics", lambda route: route.fulfill(status=404, body="{}"))
    page.goto(f"{tiny_server.url}/live")
    page.locator("#notice", has_text="SLUICE_ADMIN_PORT").wait_for()
    assert page.get_by_role("button", name="Send a short load").count() == 0
