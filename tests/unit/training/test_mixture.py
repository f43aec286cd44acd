"""The mix of an epoch."""

import numpy as np
import pytest

from training.data.mixture import draw, shares


def test_temperature_one_draws_by_size_and_more_levels_out() -> None:
    np.testing.assert_allclose(shares([900, 100], 1.0), [0.9, 0.1])
    np.testing.assert_allclose(shares([900, 100], 2.0), [0.75, 0.25])


@pytest.mark.parametrize("available,count", [(7, 3), (7, 7), (7, 20), (1, 5), (5, 0)])
def test_rows_come_again_only_when_all_have_come(available: int, count: int) -> None:
    drawn = draw(available, count, np.random.default_rng(2))
    assert len(drawn) == count
    found = np.bincount(drawn, minlength=available)
    assert found.max() - found.min() <= 1
