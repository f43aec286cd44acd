"""API keys: who is let in, and what happens while the file changes."""

import logging
import os
from pathlib import Path

import pytest

from service.keys import ApiKeys, KeyFileError, make_key, read_keys


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["# who may call", "", *lines]) + "\n")
    return path


def test_a_key_is_known_by_its_name_and_no_other_is(tmp_path: Path) -> None:
    anna, bo = make_key("anna"), make_key("bo-2")
    keys = ApiKeys(write(tmp_path / "keys", anna.line, bo.line))
    assert (keys.name_of(anna.key), keys.name_of(bo.key)) == ("anna", "bo-2")
    for wrong in ("", "anna", anna.key[:-1], anna.line.partition(":")[2], "é\ud800"):
        assert keys.name_of(wrong) is None


def test_two_keys_may_have_one_name(tmp_path: Path) -> None:
    old, new = make_key("anna"), make_key("anna")
    keys = ApiKeys(write(tmp_path / "keys", old.line, new.line))
    assert keys.name_of(old.key) == keys.name_of(new.key) == "anna"


def test_the_file_does_not_hold_the_key(tmp_path: Path) -> None:
    made = make_key("anna")
    assert made.key not in made.line


def test_a_changed_file_holds_without_a_restart(tmp_path: Path) -> None:
    old, new, clock = make_key("anna"), make_key("anna"), Clock()
    keys = ApiKeys(write(tmp_path / "keys", old.line), clock)
    write(tmp_path / "next", new.line)
    os.replace(tmp_path / "next", tmp_path / "keys")
    assert keys.name_of(old.key) == "anna"
    clock.now = 1.5
    assert (keys.name_of(old.key), keys.name_of(new.key)) == (None, "anna")


@pytest.mark.parametrize("damage", ["anna:123", "", "Anna:" + "0" * 64])
def test_a_broken_file_leaves_the_old_keys(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    made, clock = make_key("anna"), Clock()
    keys = ApiKeys(write(tmp_path / "keys", made.line), clock)
    write(tmp_path / "keys", damage)
    with caplog.at_level(logging.ERROR, "sluice"):
        for clock.now in (2.0, 4.0):
            assert keys.name_of(made.key) == "anna"
    assert len(caplog.records) == 1


def test_a_removed_file_leaves_the_old_keys(tmp_path: Path) -> None:
    made, clock = make_key("anna"), Clock()
    path = write(tmp_path / "keys", made.line)
    keys = ApiKeys(path, clock)
    path.unlink()
    clock.now = 2.0
    assert keys.name_of(made.key) == "anna"


@pytest.mark.parametrize(
    "content, word",
    [
        (b"", "0 keys"),
        (b"# none yet\n", "0 keys"),
        (b"anna\n", "line 1"),
        (b"\nanna:" + b"0" * 63 + b"\n", "line 2"),
        (b"anna b:" + b"0" * 64, "line 1"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_an_unusable_file_is_refused_with_the_place(
    tmp_path: Path, content: bytes, word: str
) -> None:
    path = tmp_path / "keys"
    path.write_bytes(content)
    with pytest.raises(KeyFileError, match=word):
        read_keys(path)


def test_the_error_does_not_tell_what_may_be_a_key(tmp_path: Path) -> None:
    made = make_key("anna")
    with pytest.raises(KeyFileError) as told:
        read_keys(write(tmp_path / "keys", f"anna:{made.key}"))
    assert made.key not in str(told.value)


@pytest.mark.parametrize("name", ["", "A", "a b", "a:b", "-a", "a" * 65])
def test_a_name_that_no_label_should_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name for a key"):
        make_key(name)
