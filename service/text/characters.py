"""Cleaning of the caller's characters that never moves an offset."""

import unicodedata

_BREAKS = frozenset("\t\n\v\f\r\x85\u2028\u2029")


def is_blank(text: str) -> bool:
    """True if nothing in `text` can be seen: white space, control and format characters only."""
    return all(char.isspace() or unicodedata.category(char) in ("Cc", "Cf") for char in text)


def without_controls(text: str) -> str:
    """`text` with each control character replaced by one blank: same length, same offsets."""
    if text.isprintable():
        return text
    return "".join(_visible(char) for char in text)


def _visible(char: str) -> str:
    if char in _BREAKS or unicodedata.category(char) in ("Cc", "Cs"):
        return " "
    return char
