"""Inputs that a task refuses, one type a cause; each names the value, the limit and the fix."""

from collections.abc import Collection


class InputRefused(Exception):
    """Base of the inputs that a task cannot answer."""


class BlankText(InputRefused):
    """Nothing visible in the text, and no empty answer would be true."""

    def __init__(self) -> None:
        super().__init__("the text is empty or blank; send at least one visible character")


class NoLetters(InputRefused):
    """A text without a single letter has no language."""

    def __init__(self) -> None:
        super().__init__(
            "the text has no letters, only digits, punctuation or symbols, and no language; "
            "send at least one word"
        )


class InputTooLong(InputRefused):
    """More tokens than the model takes in one row."""

    def __init__(self, length: int, limit: int, unit: str) -> None:
        super().__init__(f"the text has {length} {unit}, the limit is {limit}; send it in parts")


class UnknownConvention(InputRefused):
    """A convention that the bundle was not trained on."""

    def __init__(self, name: str, known: Collection[str]) -> None:
        super().__init__(f"convention {name!r} is not known; choose one of {_listed(known)}")


class TooManyExplained(InputRefused):
    """More texts to explain than one call may bring."""

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(
            f"inputs has {count} texts, the limit with `explain` is {limit}; send them in parts"
        )


class UnknownLanguage(InputRefused):
    """A language code that the bundle does not serve."""

    def __init__(self, parameter: str, code: str, known: Collection[str]) -> None:
        super().__init__(f"{parameter} {code!r} is not served; choose one of {_listed(known)}")


class LanguageMissing(InputRefused):
    """No target language was given."""

    def __init__(self, known: Collection[str]) -> None:
        super().__init__(f"tgt_lang is missing; add it to `parameters`: one of {_listed(known)}")


class SourceLanguageMissing(InputRefused):
    """No source language was given, and nothing here can find it."""

    def __init__(self, known: Collection[str]) -> None:
        super().__init__(
            "src_lang is missing, and no bundle for language detection is loaded; add src_lang to "
            f"`parameters`: one of {_listed(known)}"
        )


class TransliterationMissing(InputRefused):
    """Romanised Hindi, and nothing here can write it in Devanagari."""

    def __init__(self) -> None:
        super().__init__(
            "the text is Hindi in Latin letters, and no bundle for transliteration is loaded; "
            "send it in Devanagari"
        )


class SameLanguage(InputRefused):
    """Source and target language are equal."""

    def __init__(self, code: str) -> None:
        super().__init__(f"src_lang and tgt_lang are both {code!r}; choose two languages")


class UnservedDirection(InputRefused):
    """Both languages are known, but not this pair of them."""

    def __init__(self, source: str, target: str, known: Collection[str]) -> None:
        super().__init__(f"{source} to {target} is not served; choose one of {_listed(known)}")


class ForeignScript(InputRefused):
    """Letters, but none that a served language is written in."""

    def __init__(self, script: str, known: Collection[str]) -> None:
        super().__init__(
            f"the text is written in {script} letters; what can be translated is {_listed(known)}"
        )


class UntranslatableLanguage(InputRefused):
    """The text is in a language, found by detection, that is not translated to the target."""

    def __init__(self, code: str, target: str, known: Collection[str]) -> None:
        super().__init__(
            f"the text seems to be in {code!r}, which is not translated to {target!r}; send one of "
            f"{_listed(known)}, or say `src_lang` if it is in another language"
        )


class TooManySequences(InputRefused):
    """More translations of a text than beams that could find them."""

    def __init__(self, wanted: int, beams: int) -> None:
        super().__init__(
            f"num_return_sequences {wanted} is more than num_beams {beams}; raise num_beams or "
            "leave it out"
        )


class AlignmentsUnknown(InputRefused):
    """The bundle's decoder does not tell its attention, or there are two passes."""

    def __init__(self) -> None:
        super().__init__(
            "this direction tells no alignments: the bundle has none, or it is translated in two "
            "passes; leave `alignments` out"
        )


class NotStreamed(InputRefused):
    """A beam search changes its mind: its text cannot be told before it ends."""

    def __init__(self, beams: int | None) -> None:
        super().__init__(f"num_beams is {beams}, a stream takes 1; leave it out, or do not stream")


def _listed(values: Collection[str]) -> str:
    return ", ".join(sorted(values))
