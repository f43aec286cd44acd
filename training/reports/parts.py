"""Parts of a report page. A task returns them from `report_parts`; the page puts them in a row."""

from collections.abc import Sequence
from typing import NamedTuple


class Figure(NamedTuple):
    """A drawing (SVG source) with its heading and, below it, what is to be seen."""

    title: str
    svg: str
    note: str = ""


class Table(NamedTuple):
    """Rows of text under a header; numbers are already written out."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""


class ErrorCase(NamedTuple):
    """A text that the model gets wrong, with how sure it was (0 to 1)."""

    text: str
    expected: str
    found: str
    score: float


class HardestErrors(NamedTuple):
    """Wrong answers, the surest first."""

    title: str
    cases: Sequence[ErrorCase]
    note: str = ""


Part = Figure | Table | HardestErrors
