"""Every command in the documents runs, and prints what the documents say."""

import re
from pathlib import Path

import pytest

from service.bundle import find_bundles
from service.settings import Settings
from tests.e2e.documents import (
    ROOT,
    SERVED,
    TUTORIAL,
    Command,
    Workplace,
    check,
    differs,
    parts_of,
)
from tests.e2e.model_table import model_table
from tests.e2e.processes import Server

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("document", SERVED, ids=lambda path: path.name)
def test_commands_print_what_the_document_shows(
    document: Path, server: Server, tmp_path: Path
) -> None:
    check(document, Workplace(tmp_path, server.url))


@pytest.mark.timeout(1800)
def test_the_tutorial_trains_and_serves_new_models(tmp_path: Path) -> None:
    check(TUTORIAL, Workplace(tmp_path, "http://localhost:3000"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    prose = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in _LINK.findall(prose):
        assert (document.parent / link).exists(), link


@pytest.mark.parametrize(
    "shown, found, different",
    [
        ("[0.91, 2]\n", "[0.92, 2]\n", False),
        ("[0.91, 2]", "[0.81, 2]", True),
        ("[0.91, 2]", "[0.91, 3]", True),
        ("epoch 1\n…\nepoch 3\n", "epoch 1\nepoch 2\nepoch 3\n", False),
        ("epoch …", "step 1", True),
    ],
)
def test_numbers_may_differ_by_a_little_and_words_may_not(
    shown: str, found: str, different: bool
) -> None:
    assert differs(shown, found) is different


def test_there_is_a_call_for_every_task() -> None:
    calls = [part for part in parts_of(README) if isinstance(part, Command)]
    assert len(calls) >= len(find_bundles(ROOT / "exported_models"))


def test_the_model_table_is_that_of_the_manifests() -> None:
    assert model_table(ROOT / "exported_models") in README


def test_every_setting_is_documented() -> None:
    told = "".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    for name in Settings.model_fields:
        assert f"`SLUICE_{name.upper()}`" in told
