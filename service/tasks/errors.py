"""Inputs that a task refuses, one type a cause; each names the value, the limit and the fix."""

from collections.abc import Collection


class InputRefused(Exception):
    """Base of the inputs that a task cannot answer."""


class BlankText(InputRefused):
    """Nothing visible in the text, and no empty answer would be true."""

    def __init__(self) -> None:
        super().__init__("the text is empty or blank; send at least one visible character")


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


class SameLanguage(InputRefused):
    """Source and target language are equal."""

    def __init__(self, code: str) -> None:
        super().__init__(f"src_lang and tgt_lang are both {code!r}; choose two languages")


class UnservedDirection(InputRefused):
    """Both languages are known, but not this pair of them."""

    def __init__(self, source: str, target: str, known: Collection[str]) -> None:
        super().__init__(f"{source} to {target} is not served; choose one of {_listed(known)}")


def _listed(values: Collection[str]) -> str:
    return ", ".join(sorted(values))
