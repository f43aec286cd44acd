"""Hindi sentences as people type them in Latin letters."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import regex

from service.text.romanization import romanize
from training.data.lexicon import Spelling

_WORD = regex.compile(r"\p{Devanagari}+")
_ATTESTED_RATE = 0.85
"""Share of known words in an attested spelling; the rest follow the rules, loosely."""
_SHORTEN = ((0.6, "aa", "a"), (0.6, "ee", "i"), (0.6, "oo", "u"), (0.1, "v", "w"), (0.05, "i", "y"))
_MEDIAL_A = regex.compile(r"(?<=[aeiou][^aeiou]{1,2})a(?=[^aeiou][aeiou])")
_NOT_FIRST_VOWEL = regex.compile(r"(?<=[^aeiou])[aeiou](?=[^aeiou])")


class Romaniser:
    """Sentences word by word: spellings by how many people wrote them, else rules, loosely."""

    def __init__(self, spellings: Sequence[Spelling]) -> None:
        found: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for hindi, latin, people in spellings:
            found[hindi][latin] = found[hindi].get(latin, 0) + people
        self._spellings = {hindi: list(counts) for hindi, counts in found.items()}
        self._shares = {
            hindi: np.array(list(counts.values())) / sum(counts.values())
            for hindi, counts in found.items()
        }

    def sentence(self, text: str, rng: np.random.Generator) -> str:
        """One way to type `text`; what is not Devanagari stays."""
        hurried = rng.random() < 0.1
        spelt = _WORD.sub(lambda found: self._word(found.group(), rng, hurried=hurried), text)
        return romanize(spelt, "informal")

    def _word(self, word: str, rng: np.random.Generator, *, hurried: bool) -> str:
        if word in self._spellings and rng.random() < _ATTESTED_RATE:
            latin = self._spellings[word][rng.choice(len(self._shares[word]), p=self._shares[word])]
        else:
            latin = loosely(romanize(word, "informal"), rng)
        if hurried and len(latin) > 2 and rng.random() < 0.5:
            return _NOT_FIRST_VOWEL.sub("", latin, count=1)
        return latin


def loosely(latin: str, rng: np.random.Generator) -> str:
    """Long vowels mostly single, medial a mostly silent: "tumane" becomes "tumne"."""
    if rng.random() < 0.7:
        latin = _MEDIAL_A.sub("", latin)
    for rate, long, short in _SHORTEN:
        if rng.random() < rate:
            latin = latin.replace(long, short)
    return latin
