"""Hindi sentences as people type them."""

import numpy as np

from training.data.lexicon import Spelling
from training.data.romanised import Romaniser, loosely

SPELLINGS = [Spelling("घर", "ghar", 8), Spelling("घर", "ghr", 2), Spelling("में", "me", 1)]


def written(text: str, count: int = 300) -> list[str]:
    rng = np.random.default_rng(0)
    romaniser = Romaniser(SPELLINGS)
    return [romaniser.sentence(text, rng) for _ in range(count)]


def test_attested_spellings_come_as_often_as_people_write_them() -> None:
    found = written("घर")
    assert set(found) >= {"ghar", "ghr"}
    assert found.count("ghar") > 2 * found.count("ghr")


def test_unknown_words_follow_the_rules_loosely() -> None:
    assert {"किताब"} != set(written("किताब"))
    assert set(written("तुमने")) >= {"tumne", "tumane"}


def test_what_is_not_hindi_stays() -> None:
    assert all(found.startswith("Tesla, 12 ") for found in written("Tesla, १२ घर", 20))


def test_sentences_are_a_function_of_the_seed() -> None:
    assert written("मेरा घर", 20) == written("मेरा घर", 20)


def test_loose_spelling_shortens_long_vowels() -> None:
    rng = np.random.default_rng(0)
    assert {loosely("khaana", rng) for _ in range(100)} == {"khaana", "khana"}
