"""Where the data sets lie, and how a file of them is opened."""

import gzip
import lzma
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from training.errors import DataError

_OPENERS: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open}


def _open_text(path: Path) -> IO[str]:
    opener = _OPENERS.get(path.suffix, open)
    return cast(IO[str], opener(path, "rt", encoding="utf-8", newline="\n"))


def packed_or_plain(path: Path) -> Path:
    """`path`, or the same file without its last suffix where only that is there."""
    plain = path.with_suffix("")
    return plain if plain.exists() and not path.exists() else path


def data_root() -> Path:
    """The folder of all data sets: `SLUICE_DATA`, or `data/`, which `fetch` fills."""
    root = Path(os.environ.get("SLUICE_DATA", "data"))
    if not root.is_dir():
        raise DataError(
            f"{root}: no such data folder; set SLUICE_DATA or run `python -m training fetch`"
        )
    return root


def read_lines(path: Path) -> Iterator[str]:
    """Lines of a UTF-8 text, packed or plain, without their line feeds.

    Only a line feed ends a line: French text holds U+2028 and friends. DataError if the file is
    missing, cut short, or not UTF-8.
    """
    try:
        with _open_text(path) as lines:
            for line in lines:
                yield line.rstrip("\n")
    except FileNotFoundError as error:
        raise DataError(f"{path}: missing; run `python -m training fetch`") from error
    except (OSError, EOFError, lzma.LZMAError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: damaged ({error}); fetch it again") from error


def read_columns(path: Path, *, count: int) -> Iterator[list[str]]:
    """Tab-separated rows of exactly `count` columns; DataError names a row that differs."""
    for number, line in enumerate(read_lines(path), start=1):
        columns = line.split("\t")
        if len(columns) != count:
            raise DataError(f"{path}: line {number} has {len(columns)} columns, not {count}")
        yield columns
