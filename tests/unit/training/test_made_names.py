"""Times and companies made by rule: many forms, whole words, reproducible."""

import numpy as np
import pytest

from service.text.words import split_words
from training.data.companies import company_name
from training.data.times import time_expression


def drawn(seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [time_expression(rng) for _ in range(3000)]


def test_the_same_seed_makes_the_same_times() -> None:
    assert drawn(1) == drawn(1) != drawn(2)


def test_every_time_has_words() -> None:
    assert all(split_words(text) for text in drawn(3))


@pytest.mark.parametrize("form", ["/", ":", "Q", "ago", "century", "0s", "next", "o'clock"])
def test_times_come_in_many_forms(form: str) -> None:
    assert any(form in text for text in drawn(4))


def test_ordinals_end_as_people_say_them() -> None:
    ordinals = {word for text in drawn(5) for word in text.split() if word[:2].isdigit()}
    assert not {"11st", "12nd", "13rd", "21th", "22th"} & ordinals


def test_companies_carry_the_names_given() -> None:
    rng = np.random.default_rng(1)
    names = [company_name(["Okafor", "Lindqvist"], rng) for _ in range(500)]
    assert all("Okafor" in name or "Lindqvist" in name for name in names)
    assert any(name.endswith("GmbH") for name in names)
    assert any("Pvt" in name for name in names)
