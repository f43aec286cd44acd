"""Readers of the transliteration lexicons and of labelled sentences."""

import lzma
from pathlib import Path

import pytest

from training.data.hindi_words import count_words
from training.data.labelled import Labelled, read_labelled
from training.data.lexicon import Spelling, read_spellings
from training.errors import DataError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLUICE_DATA", str(tmp_path))
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(lzma.compress(text.encode()))


def test_both_layouts_are_read_in_one_order(root: Path) -> None:
    folder = root / "transliteration"
    write(folder / "dakshina_hi/hi.translit.sampled.train.tsv.xz", "घर\tGhar\t3\n")
    write(folder / "aksharantar_hi/hin_train.csv.xz", "ghar,घर\n")
    assert read_spellings("dakshina_hi", "train") == [Spelling("घर", "ghar", 3)]
    assert read_spellings("aksharantar_hi", "train") == [Spelling("घर", "ghar", 1)]


def test_a_row_without_its_comma_is_named(root: Path) -> None:
    write(root / "transliteration/aksharantar_hi/hin_valid.csv.xz", "ghar,घर\nghar\n")
    with pytest.raises(DataError, match="line 2 has no comma"):
        read_spellings("aksharantar_hi", "dev")


def test_labelled_sentences_keep_their_language(root: Path) -> None:
    path = root / "other/language_identification/dev.tsv.xz"
    write(path, "lang\ttext\nde\tGuten Tag\n")
    assert read_labelled("dev") == [Labelled("Guten Tag", "de")]


def test_words_of_the_list_and_of_sentences_are_counted() -> None:
    listed = count_words([])
    counted = count_words(["अजबगजबवाला घर १२ Tesla।", "अजबगजबवाला घर १२ Tesla।"])
    assert listed["है"] > listed["घर"] > 10
    assert counted["अजबगजबवाला"] == 1
    assert counted["घर"] == listed["घर"] + 1
    assert not {"Tesla", "१२"} & counted.keys()
