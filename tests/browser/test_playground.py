"""The playground in a real browser: each pane end to end, odd and hostile text, the keyboard."""

import json
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.e2e.processes import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Open

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'`${alert(3)} &lt;b&gt;"
PANES = ("entities", "sentiment", "translation")


def write(page: "Page", pane: str, text: str) -> None:
    page.fill(f"#{pane} textarea", text)


def past(page: "Page", text: str) -> "Locator":
    """The entry of the history whose source is `text`."""
    return page.locator(".recent .phrase > span:first-child", has_text=re.compile(f"^{text}$"))


def copied(page: "Page", button: str) -> str:
    pressed = page.get_by_role("button", name=button, exact=True).element_handle()
    pressed.click()
    page.wait_for_function("button => button.textContent === 'Copied'", arg=pressed)
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_entities_light_up_as_one_types(server: Server, visit: "Open") -> None:
    page = visit(f"{server.url}/#entities")
    write(page, "entities", "Pankaj lives in Munich")
    page.locator("mark", has_text="Munich").wait_for()
    marks = page.locator("#entities mark")
    assert marks.all_inner_texts() == ["PankajPER", "MunichLOC"]
    assert (marks.first.get_attribute("data-score") or "").endswith(" %")
    assert page.locator("#entities .legend output").all_inner_texts() == ["1", "0", "1", "0"]


def test_a_kind_of_entity_can_be_hidden(server: Server, visit: "Open") -> None:
    page = visit(f"{server.url}/#entities")
    write(page, "entities", "Pankaj lives in Munich")
    page.locator("mark", has_text="Munich").wait_for()
    page.get_by_role("button", name="LOC").click()
    assert page.locator("#entities mark").all_inner_texts() == ["PankajPER"]
    assert page.get_by_role("button", name="LOC").get_attribute("aria-pressed") == "false"


def test_entities_are_copied_as_json_spacy_and_conll(tiny_server: Server, visit: "Open") -> None:
    page = visit(f"{tiny_server.url}/#entities")
    write(page, "entities", "\U0001f44d Smith left")
    page.locator("#entities .text", has_text="left").wait_for()
    [entity] = json.loads(copied(page, "Copy JSON"))
    assert (entity["word"], entity["start"], entity["end"]) == ("Smith", 2, 7)
    assert copied(page, "spaCy").endswith('{"entities": [(2, 7, "PER")]})')
    assert copied(page, "CoNLL") == "\U0001f44d\tO\nSmith\tB-PER\nleft\tO\n"


def test_a_text_beyond_the_limit_of_a_call_is_sent_in_pieces(
    tiny_server: Server, visit: "Open"
) -> None:
    page = visit(f"{tiny_server.url}/#entities")
    write(page, "entities", "nobody here \n" * 800 + "but Smith")
    page.locator("#entities .text", has_text="but Smith").wait_for()
    [found] = json.loads(copied(page, "Copy JSON"))
    assert (found["word"], found["start"]) == ("Smith", 800 * 13 + 4)


def test_one_line_has_a_verdict_and_its_words_are_shaded(server: Server, visit: "Open") -> None:
    page = visit(f"{server.url}/#sentiment")
    write(page, "sentiment", "There is nothing to like in this movie.")
    page.locator("#sentiment .output .text", has_text="There is nothing").wait_for()
    assert page.locator(".verdict .bad").inner_text().endswith("% negative")


def test_several_lines_make_a_table_that_sorts(server: Server, visit: "Open") -> None:
    page = visit(f"{server.url}/#sentiment")
    write(page, "sentiment", "It broke after a day.\nI love it, best phone ever.\nNothing works.")
    page.locator("td.number").nth(2).wait_for()
    page.get_by_role("button", name="positive").click()
    assert "I love it" in page.locator("tbody tr").first.inner_text()
    assert page.locator("th[aria-sort=descending]").count() == 1
    assert page.locator(".summary rect").count() == 10


def test_a_translation_appears_and_can_be_turned_round(server: Server, visit: "Open") -> None:
    page = visit(f"{server.url}/#translation")
    write(page, "translation", "Where is the station?")
    page.locator("#translation .result", has_text="?").wait_for()
    page.locator(".recent li", has_text="Where is the station?").wait_for(state="attached")
    german = page.locator("#translation .result").inner_text()
    page.select_option("#translation .source", "en")
    page.get_by_role("button", name="Swap the languages").click()
    assert page.input_value("#translation textarea") == german
    assert page.input_value("#translation .target") == "en"
    page.locator(".recent li", has_text=german).nth(1).wait_for(state="attached")


def test_phrases_stay_in_the_browser(tiny_server: Server, visit: "Open") -> None:
    page = visit(f"{tiny_server.url}/#translation")
    write(page, "translation", "how are you")
    past(page, "how are you").wait_for(state="attached")
    page.get_by_role("button", name="Save").click()
    page.reload()
    page.get_by_text("Saved (1)").click()
    page.locator(".saved button.phrase").click()
    assert page.input_value("#translation textarea") == "how are you"


@pytest.mark.parametrize("pane", PANES)
def test_the_call_that_is_shown_gives_the_answer_that_is_shown(
    tiny_server: Server, visit: "Open", pane: str
) -> None:
    page = visit(f"{tiny_server.url}/#{pane}")
    write(page, pane, "it's Smith's \U0001f600\nday")
    code = page.locator(f"#{pane} pre code")
    code.get_by_text("Smith").wait_for()
    done = subprocess.run(
        shlex.split(code.inner_text().replace("\\\n", " ")),
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert isinstance(answer, list), answer


@pytest.mark.parametrize("pane", PANES)
def test_each_answer_tells_its_cost(tiny_server: Server, visit: "Open", pane: str) -> None:
    page = visit(f"{tiny_server.url}/#{pane}")
    page.locator(f"#{pane} dd", has_text="row").wait_for()
    told = page.locator(f"#{pane} dd").all_inner_texts()
    assert all(value.endswith(" ms") for value in told[:6])
    assert page.locator(f"#{pane} .model").inner_text().split() == [
        *("tiny-" + {"entities": "ner"}.get(pane, pane), "1.0.0", "fp32", "on", "CPU")
    ]


@pytest.mark.parametrize("pane", PANES)
def test_hostile_text_stays_text(tiny_server: Server, visit: "Open", pane: str) -> None:
    page = visit(f"{tiny_server.url}/#{pane}")
    write(page, pane, HOSTILE + " Smith")
    page.locator(f"#{pane} pre code", has_text="onerror").wait_for()
    assert page.locator("main img, main script").count() == 0


def test_the_policy_lets_no_other_script_in(tiny_server: Server) -> None:
    for path in ("/", "/live"):
        response = httpx.get(tiny_server.url + path)
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert "<script>" not in response.text


def test_text_that_is_too_long_is_told_with_its_limit(tiny_server: Server, visit: "Open") -> None:
    page = visit(f"{tiny_server.url}/#translation")
    write(page, "translation", "a" * 5_001)
    page.locator("#notice", has_text="5001 characters, the limit is 5000").wait_for()
    assert "over" in (page.locator("#translation .counter").get_attribute("class") or "")


def test_arrow_keys_walk_the_tabs(tiny_server: Server, visit: "Open") -> None:
    page = visit(tiny_server.url)
    page.get_by_role("tab", name="Entities").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#sentiment").is_visible()
    assert page.get_by_role("tab", name="Sentiment").get_attribute("aria-selected") == "true"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#translation").is_visible()


def test_the_theme_can_be_chosen_and_stays(tiny_server: Server, visit: "Open") -> None:
    page = visit(tiny_server.url, color_scheme="light")
    page.get_by_role("button", name="Light or dark").click()
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


@pytest.mark.parametrize("path", ["/#entities", "/#sentiment", "/#translation", "/live"])
def test_a_phone_needs_no_sideways_scrolling(tiny_server: Server, visit: "Open", path: str) -> None:
    page = visit(tiny_server.url + path, viewport={"width": 360, "height": 740})
    page.wait_for_load_state("networkidle") if path != "/live" else page.wait_for_timeout(1500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_nothing_jumps_while_the_page_loads(tiny_server: Server, visit: "Open") -> None:
    page = visit(tiny_server.url)
    page.locator("#entities pre code", has_text="curl").wait_for()
    shift = page.evaluate(
        """() => new Promise((told) => new PerformanceObserver((list) =>
            told(list.getEntries().reduce((sum, entry) => sum + entry.value, 0))
        ).observe({ type: "layout-shift", buffered: true }) ?? setTimeout(() => told(0), 300))"""
    )
    assert shift < 0.1


def test_the_first_load_is_light_and_all_from_here(tiny_server: Server, visit: "Open") -> None:
    page = visit("about:blank")
    sizes: dict[str, int] = {}
    page.on("response", lambda response: sizes.update({response.url: len(response.body())}))
    page.goto(tiny_server.url)
    page.locator("#entities pre code", has_text="curl").wait_for()
    assert all(url.startswith(tiny_server.url) for url in sizes)
    assert sum(sizes.values()) <= 150_000


def test_every_module_is_asked_for_at_once(tiny_server: Server, visit: "Open") -> None:
    page = visit("about:blank")
    loaded: set[str] = set()
    page.on("request", lambda request: loaded.add(request.url))
    page.goto(tiny_server.url)
    page.locator("#entities mark").wait_for()
    told = page.evaluate(
        """() => [...document.querySelectorAll("link[rel=modulepreload], script")]
            .map((one) => one.href ?? one.src)"""
    )
    assert {url for url in loaded if url.endswith(".js")} == set(told)


def test_what_was_told_of_a_translation_goes_with_it(server: Server, visit: "Open") -> None:
    page = visit(f"{server.url}/#translation")
    page.select_option("#translation .target", "hi")
    romanized = page.locator("#translation .below", has_text="namaste")
    romanized.wait_for()
    page.select_option("#translation .target", "fr")
    page.locator("#translation .result", has_text="Bonjour").wait_for()
    assert romanized.count() == 0


def test_a_phrase_is_forgotten_alone_and_its_list_stays_open(
    tiny_server: Server, visit: "Open"
) -> None:
    page = visit(f"{tiny_server.url}/#translation")
    for text in ("how are you", "good day"):
        write(page, "translation", text)
        past(page, text).wait_for(state="attached")
    page.get_by_text("History (").click()
    page.get_by_role("button", name="Forget “how are you”").click()
    assert past(page, "how are you").count() == 0
    assert past(page, "good day").is_visible()


def test_a_tag_stays_beside_its_word(server: Server, visit: "Open") -> None:
    page = visit(f"{server.url}/#entities", viewport={"width": 390, "height": 740})
    page.get_by_role("button", name="Biography").click()
    page.locator("#entities mark", has_text="1906").wait_for()
    apart = page.evaluate(
        """() => [...document.querySelectorAll("#entities mark")].filter((mark) => {
            const word = [...mark.querySelector("bdi").getClientRects()].at(-1);
            const tag = mark.querySelector(".tag").getBoundingClientRect();
            return Math.abs(word.bottom - tag.bottom) > 12;
        }).map((mark) => mark.textContent)"""
    )
    assert apart == []
