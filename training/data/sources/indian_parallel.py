"""Indian parallel corpora, Hindi-English (Post, Callison-Burch and Osborne, WMT 2012).

Source: github.com/joshua-decoder/indian-parallel-corpora, `hi-en/`, CC BY-SA 3.0. Each part is six
line-aligned files: segment ids, Hindi, and four independent English translations.
"""

from pathlib import Path

from training.errors import DataError

NAME = "translation/indian_parallel_hi-en"
_PARTS = ("dev", "devtest", "test")
_SUFFIX_OF_COLUMN = {
    "seg_id": "seg_ids",
    "hi": "hi",
    "en0": "en.0",
    "en1": "en.1",
    "en2": "en.2",
    "en3": "en.3",
}


def build(raw: Path) -> dict[str, bytes]:
    """One table per part, with a header; DataError if its raw files are not line-aligned."""
    return {f"{NAME}/{part}.tsv.xz": _table(raw, part) for part in _PARTS}


def _table(raw: Path, part: str) -> bytes:
    columns = [_lines(raw / f"{part}.hi-en.{suffix}") for suffix in _SUFFIX_OF_COLUMN.values()]
    lengths = sorted({len(column) for column in columns})
    if len(lengths) > 1:
        raise DataError(f"{NAME}: {part}: raw files have {lengths[0]} to {lengths[-1]} lines")
    rows = [tuple(_SUFFIX_OF_COLUMN), *zip(*columns, strict=True)]
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    # Some Hindi sentences start with a blank; a blank at either end says nothing.
    return [line.strip() for line in text.removesuffix("\n").split("\n")]
