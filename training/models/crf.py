"""Linear-chain conditional random field (Lafferty et al. 2001; Lample et al., NAACL 2016)."""

import torch
from torch import Tensor, nn

FORBIDDEN = -1e4


class Crf(nn.Module):
    """Scores of tag sequences: emissions, transitions, and how a sentence begins and ends.

    A begin tag (the last one) turns the start scores into transitions out of it, so that every
    step is alike, in training as in the exported scan.
    """

    allowed: Tensor
    temperature: Tensor
    """Divides all scores before marginals are taken; the best sequence stays the best."""

    def __init__(self, tags: list[str]) -> None:
        super().__init__()
        count = len(tags)
        self.tags = tags
        self.transitions = nn.Parameter(torch.empty(count + 1, count).uniform_(-0.1, 0.1))
        self.ends = nn.Parameter(torch.empty(count).uniform_(-0.1, 0.1))
        self.register_buffer("allowed", _iob2_transitions(tags), persistent=False)
        self.register_buffer("temperature", torch.ones(()), persistent=False)

    def masked_transitions(self) -> Tensor:
        """(tags + begin, tags): score of column after row; what IOB2 forbids is out of reach."""
        return self.transitions.masked_fill(~self.allowed, FORBIDDEN)

    def loss(self, emissions: Tensor, allowed: Tensor, mask: Tensor) -> Tensor:
        """Mean negative log-likelihood a sentence of all tag sequences that are `allowed`.

        emissions (batch, time, tags), allowed (batch, time, tags), mask (batch, time). Where one
        tag is allowed at each step this is the usual loss; where several are, the corpus does not
        say which (Tsuboi et al., COLING 2008).
        """
        fitting = emissions.masked_fill(~allowed, FORBIDDEN)
        both = self.normalizer(torch.cat([emissions, fitting]), torch.cat([mask, mask]))
        every, some = both.chunk(2)
        return (every - some).mean()

    def viterbi(self, emissions: Tensor, mask: Tensor) -> list[list[int]]:
        """Best tag sequence of each row, without padding."""
        transitions = self.masked_transitions()
        scores = transitions[-1] + emissions[:, 0]
        pointers = []
        for step in range(1, emissions.shape[1]):
            best, pointer = (scores[:, :, None] + transitions[:-1]).max(1)
            pointers.append(pointer)
            scores = torch.where(mask[:, step, None], best + emissions[:, step], scores)
        last = (scores + self.ends).argmax(1).tolist()
        lengths = mask.sum(1).tolist()
        followed = torch.stack(pointers, 1).tolist() if pointers else [[]] * len(last)
        return [_follow(*row) for row in zip(followed, last, lengths, strict=True)]

    def marginals(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """(batch, time, tags): probability of each tag at the temperature; zero at padding.

        They are the gradient of the log normalizer.
        """
        with torch.enable_grad():
            leaf = (emissions.detach() / self.temperature).requires_grad_()
            heat = float(self.temperature)
            normalizer = self.normalizer(leaf, mask, temperature=heat)
            (gradient,) = torch.autograd.grad(normalizer.sum(), leaf)
        return gradient

    def normalizer(self, emissions: Tensor, mask: Tensor, *, temperature: float = 1.0) -> Tensor:
        """Log of the summed exponentials of all sequences' scores (forward algorithm).

        `temperature` divides transitions and ends; emissions are taken as they are.
        """
        transitions, ends = self.masked_transitions() / temperature, self.ends / temperature
        alpha = transitions[-1] + emissions[:, 0]
        for step in range(1, emissions.shape[1]):
            reached = torch.logsumexp(alpha[:, :, None] + transitions[:-1], dim=1)
            alpha = torch.where(mask[:, step, None], reached + emissions[:, step], alpha)
        return torch.logsumexp(alpha + ends, dim=1)


def _iob2_transitions(tags: list[str]) -> Tensor:
    """True where column may follow row; the last row is the begin of the sentence."""
    rows = [[_may_follow(before, tag) for tag in tags] for before in [*tags, "O"]]
    return torch.tensor(rows)


def _may_follow(before: str, tag: str) -> bool:
    return not tag.startswith("I-") or before[2:] == tag[2:]


def _follow(pointers: list[list[int]], tag: int, length: int) -> list[int]:
    """The path back from the last tag; pointers (time - 1, tags)."""
    path = [tag]
    for pointer in reversed(pointers[: length - 1]):
        path.append(pointer[path[-1]])
    return path[::-1]
