"""Sentences seen otherwise than the corpora wrote them: shorter, and with less of a name."""

import numpy as np

from service.text.spans import tags_to_spans
from training.data.conll import WordSentence

_FEWEST_WORDS = 3


def shorten_names(sentence: WordSentence, rate: float, rng: np.random.Generator) -> WordSentence:
    """Full names cut to their first or last word, each with probability `rate`.

    News and encyclopaedias write names in full; people write "Pankaj lives in Munich".
    """
    words, tags = list(sentence.words), list(sentence.tags)
    for label, start, end in reversed(tags_to_spans(sentence.tags)):
        if label == "PER" and end - start > 1 and rng.random() < rate:
            kept = start if rng.random() < 0.5 else end - 1
            words[start:end], tags[start:end] = [words[kept]], ["B-PER"]
    return WordSentence(tuple(words), tuple(tags))


def start_late(sentence: WordSentence, rng: np.random.Generator) -> WordSentence:
    """The sentence from one of its entities on, if enough words remain."""
    starts = [span.start for span in tags_to_spans(sentence.tags)]
    starts = [start for start in starts if len(sentence.words) - start >= _FEWEST_WORDS]
    if not starts:
        return sentence
    start = starts[int(rng.integers(len(starts)))]
    return WordSentence(sentence.words[start:], sentence.tags[start:])
