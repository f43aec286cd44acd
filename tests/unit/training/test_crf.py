"""The CRF against enumeration of all tag sequences."""

from collections.abc import Sequence
from itertools import pairwise, product

import torch

from service.text.spans import iob2_tags
from training.models.crf import Crf
from training.models.tag_temperature import fit_tag_temperature

TAGS = iob2_tags(["A", "B"])


def scored_paths(crf: Crf, emissions: torch.Tensor) -> dict[tuple[int, ...], torch.Tensor]:
    """Score of every tag sequence of one row of emissions (time, tags)."""
    transitions = crf.masked_transitions()
    scores = {}
    for path in product(range(len(TAGS)), repeat=len(emissions)):
        steps = zip((len(TAGS), *path), path, strict=False)
        score = sum((transitions[a, b] for a, b in steps), crf.ends[path[-1]])
        scores[path] = score + emissions[range(len(path)), list(path)].sum()
    return scores


def random_crf() -> tuple[Crf, torch.Tensor]:
    torch.manual_seed(3)
    crf = Crf(TAGS)
    torch.nn.init.normal_(crf.transitions)
    torch.nn.init.normal_(crf.ends)
    return crf, 2 * torch.randn(1, 4, len(TAGS))


def only(path: Sequence[int]) -> torch.Tensor:
    """(1, time, tags): one tag allowed at each step."""
    return torch.nn.functional.one_hot(torch.tensor([path]), len(TAGS)).bool()


def test_likelihood_equals_enumeration() -> None:
    crf, emissions = random_crf()
    scores = scored_paths(crf, emissions[0])
    path = (1, 2, 0, 3)
    expected = torch.logsumexp(torch.stack(list(scores.values())), 0) - scores[path]
    mask = torch.ones(1, 4, dtype=torch.bool)
    torch.testing.assert_close(crf.loss(emissions, only(path), mask), expected)


def test_the_loss_of_open_tags_sums_over_all_that_fit() -> None:
    crf, emissions = random_crf()
    allowed = only((0, 1, 0, 0))
    allowed[0, 2:] |= torch.tensor([True, False, False, True, True])  # O may be a B
    fitting = [
        score
        for path, score in scored_paths(crf, emissions[0]).items()
        if all(allowed[0, step, tag] for step, tag in enumerate(path))
    ]
    every = torch.stack(list(scored_paths(crf, emissions[0]).values()))
    expected = torch.logsumexp(every, 0) - torch.logsumexp(torch.stack(fitting), 0)
    mask = torch.ones(1, 4, dtype=torch.bool)
    torch.testing.assert_close(crf.loss(emissions, allowed, mask), expected)


def test_viterbi_finds_the_best_of_all_sequences() -> None:
    crf, emissions = random_crf()
    scores = scored_paths(crf, emissions[0])
    best = max(scores, key=lambda path: float(scores[path].detach()))
    assert crf.viterbi(emissions, torch.ones(1, 4, dtype=torch.bool)) == [list(best)]


def test_marginals_equal_enumeration() -> None:
    crf, emissions = random_crf()
    scores = scored_paths(crf, emissions[0])
    probabilities = torch.softmax(torch.stack(list(scores.values())), 0)
    expected = torch.zeros(4, len(TAGS))
    for path, probability in zip(scores, probabilities, strict=True):
        expected[range(4), list(path)] += probability.detach()
    found = crf.marginals(emissions, torch.ones(1, 4, dtype=torch.bool))
    torch.testing.assert_close(found[0], expected, rtol=1e-4, atol=1e-5)


def test_marginals_at_a_temperature_equal_enumeration() -> None:
    crf, emissions = random_crf()
    crf.temperature.fill_(2.0)
    scores = scored_paths(crf, emissions[0])
    probabilities = torch.softmax(torch.stack(list(scores.values())) / 2, 0)
    expected = torch.zeros(4, len(TAGS))
    for path, probability in zip(scores, probabilities, strict=True):
        expected[range(4), list(path)] += probability.detach()
    found = crf.marginals(emissions, torch.ones(1, 4, dtype=torch.bool))
    torch.testing.assert_close(found[0], expected, rtol=1e-4, atol=1e-5)


def test_overconfident_scores_are_cooled_by_the_fit() -> None:
    crf = Crf(TAGS)
    torch.nn.init.zeros_(crf.transitions)
    torch.nn.init.zeros_(crf.ends)
    emissions = torch.zeros(40, 1, len(TAGS))
    emissions[:, 0, 1] = 6.0  # sure of B-A in each row, right in three of four
    gold = torch.tensor([[1], [1], [1], [0]] * 10)
    batch = (emissions, gold, torch.ones(40, 1, dtype=torch.bool))
    assert fit_tag_temperature(crf, [batch]) > 1.5
    assert crf.marginals(emissions, batch[2])[0, 0, 1] < 0.9


def test_no_sequence_breaks_iob2() -> None:
    crf, _ = random_crf()
    emissions = 5 * torch.randn(50, 6, len(TAGS))
    for path in crf.viterbi(emissions, torch.ones(50, 6, dtype=torch.bool)):
        tags = ["O", *(TAGS[tag] for tag in path)]
        for before, tag in pairwise(tags):
            assert not tag.startswith("I-") or before[2:] == tag[2:]


def test_padding_does_not_change_the_likelihood() -> None:
    crf, emissions = random_crf()
    tags = only((1, 2, 0, 3))
    alone = crf.loss(emissions, tags, torch.ones(1, 4, dtype=torch.bool))
    padded = torch.cat([emissions, torch.randn(1, 3, len(TAGS))], dim=1)
    mask = torch.tensor([[True] * 4 + [False] * 3])
    longer = torch.cat([tags, torch.zeros(1, 3, len(TAGS), dtype=torch.bool)], dim=1)
    torch.testing.assert_close(crf.loss(padded, longer, mask), alone)
