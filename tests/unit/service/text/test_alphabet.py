"""Characters and their ids."""

from pathlib import Path

from service.text.alphabet import UNKNOWN_ID, Alphabet


def test_text_comes_back_from_its_ids(tmp_path: Path) -> None:
    Alphabet([*"abc", "\u0915", "CJK"]).save(tmp_path / "characters.json")
    alphabet = Alphabet.load(tmp_path / "characters.json")
    assert alphabet.text(alphabet.ids("cab\u0915").tolist()) == "cab\u0915"
    assert alphabet.size == 4 + 5


def test_rare_characters_are_known_by_their_script() -> None:
    alphabet = Alphabet(["a", "CJK"])
    first, second, unknown = alphabet.ids("\u4e00\u9fa5\u03b1").tolist()
    assert first == second == alphabet.ids("\u4e8c")[0]
    assert unknown == UNKNOWN_ID


def test_reserved_ids_have_no_text() -> None:
    assert Alphabet(["a"]).text([0, 1, 4, 2, 3]) == "a"
