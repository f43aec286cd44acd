"""Words that a model has seen often enough to translate; names among the others are copied.

A model that never saw "Pankaj" spells another name. Replaced by a mark that it was trained to
copy, the name comes through letter by letter (Luong et al., ACL 2015, "rare word problem").
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import regex

_WORD = regex.compile(r"[\p{L}\p{M}]+")
# After an apostrophe stands the word itself (l'Italie), but in Irish names.
_CAPITALISED = regex.compile(r"(?:O['\u2019])?\p{Lu}[\p{L}\p{M}]+(?:-[\p{L}\p{M}]{2,})*")
_DEVANAGARI = regex.compile(r"(?:(?=[\p{L}\p{M}])\p{Devanagari})+")
_HINDI_ENDINGS = (
    "ियों", "ियाँ", "ियां", "ाओं", "ुओं", "ओं", "ाएँ", "ाएं", "ों", "ें", "े", "ी", "ा", "ि", "ो",
    "ना", "ने", "नी", "ता", "ते", "ती", "ीं", "कर", "ूँगा", "ूंगा", "ेगा", "ेगी", "ेंगे", "ाया", "ाना",
    "ाने", "ाई", "ये", "या", "यी",
)  # fmt: skip
_HINDI_FORMS = ("", "ा", "ी", "े", "ना", "ता", "ि", "ु")
_SHORTEST_STEM = 2
_LINKS = ("", "s", "es", "n", "en", "er", "-")
"""What German puts between the parts of a compound."""
_SHORTEST_PART = 3

LEXICON = "lexicon.json"
"""The file of a bundle."""

Span = tuple[int, int]


class Lexicon:
    """Known words by language, in the case in which they were seen."""

    def __init__(self, words: Mapping[str, Iterable[str]]) -> None:
        self._words = {language: frozenset(found) for language, found in words.items()}

    @classmethod
    def load(cls, path: Path) -> Self:
        layout: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return cls({language: words.split(" ") for language, words in layout.items()})

    def save(self, path: Path) -> None:
        layout = {language: " ".join(sorted(found)) for language, found in self._words.items()}
        path.write_text(json.dumps(layout, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def learn(cls, texts: Mapping[str, Iterable[str]], fewest: int) -> Self:
        """Words that occur `fewest` times or more among the texts of their language."""
        counts = {
            language: Counter(word for text in found for word in words_of(text))
            for language, found in texts.items()
        }
        return cls(
            {
                language: [word for word, count in found.items() if count >= fewest]
                for language, found in counts.items()
            }
        )

    def knows(self, word: str, language: str) -> bool:
        """True if all parts of the word were seen, as they are or in lower case; in German parts
        need no hyphen between them, in Hindi another form of the word will do."""
        return all(
            self._seen(part, language)
            or (language == "de" and self._is_compound(part))
            or (language == "hi" and self._is_form(part))
            for part in words_of(word)
        )

    def knows_lowercase(self, word: str, language: str) -> bool:
        """True if the word was seen in lower case: then it is no name."""
        return word.lower() in self._words.get(language, ())

    def unknown_names(self, text: str, language: str) -> list[Span]:
        """Where words stand that the model has not seen: capitalised ones, in Hindi any."""
        if language not in self._words:
            return []
        found = _DEVANAGARI.finditer(text) if language == "hi" else _CAPITALISED.finditer(text)
        return [match.span() for match in found if not self.knows(match.group(), language)]

    def _seen(self, word: str, language: str) -> bool:
        known = self._words.get(language, frozenset())
        return word in known or word.lower() in known

    def _is_form(self, word: str) -> bool:
        """A known stem or dictionary form with a Hindi ending."""
        stems = (word.removesuffix(ending) for ending in _HINDI_ENDINGS if word.endswith(ending))
        return any(
            self._seen(stem + ending, "hi")
            for stem in stems
            if len(stem) >= _SHORTEST_STEM
            for ending in _HINDI_FORMS
        )

    def _is_compound(self, word: str) -> bool:
        """Two known words, with or without a link between them: the model reads its parts."""
        for cut in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1):
            tail = word[cut:]
            if not (self._seen(tail, "de") or self._seen(tail.capitalize(), "de")):
                continue
            head = word[:cut]
            stems = (head.removesuffix(link) for link in _LINKS if head.endswith(link))
            if any(len(stem) >= _SHORTEST_PART and self._seen(stem, "de") for stem in stems):
                return True
        return False


def words_of(text: str) -> list[str]:
    """The words of a text, without digits and punctuation."""
    return _WORD.findall(text)


def capitalised_words(text: str) -> list[str]:
    """The words of a text that begin with a capital letter and are longer than one letter."""
    return _CAPITALISED.findall(text)
