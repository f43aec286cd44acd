"""Files of records in chunks: each can be read without the ones before it.

Parquet is cut by its row groups; CSV and JSON lines by one pass that only counts line ends. A CSV
record may hold line breaks in quotes (RFC 4180): it ends where the quotes so far are even.
"""

import io
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, NamedTuple

import msgspec
import pyarrow as pa
from pyarrow import csv, parquet

_SHOWN_CHARS = 60


class UnreadableFile(Exception):
    """A file, or a record of it, that is not what its name says."""


class Chunk(NamedTuple):
    """Records of a file. `start` and `size` are bytes; in Parquet row group and rows to skip."""

    number: int
    start: int
    size: int
    rows: int


class Records(ABC):
    """One kind of file: cut, read and write."""

    suffix: ClassVar[str]

    def __init__(self, path: Path) -> None:
        """UnreadableFile if there is no such file, or another kind of one."""
        self.path = path

    @abstractmethod
    def chunks(self, rows: int) -> Iterator[Chunk]:
        """The whole file in chunks of `rows` records; the last one may be smaller."""

    @abstractmethod
    def read(self, chunk: Chunk) -> pa.Table:
        """The records of a chunk."""

    @abstractmethod
    def columns(self) -> list[str]:
        """Names of the columns; of JSON lines those of the first record."""

    @staticmethod
    @abstractmethod
    def write(table: pa.Table, path: Path) -> None:
        """Write records, answers included, to a file of this kind."""


class Parquet(Records):
    """Apache Parquet."""

    suffix = ".parquet"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._file = parquet.ParquetFile(path)
        except (OSError, pa.ArrowInvalid) as error:
            raise UnreadableFile(f"{path} cannot be read: {_first_line(error)}") from None

    def chunks(self, rows: int) -> Iterator[Chunk]:
        number = 0
        for group in range(self._file.num_row_groups):
            count = self._file.metadata.row_group(group).num_rows
            for start in range(0, count, rows):
                yield Chunk(number, group, start, min(rows, count - start))
                number += 1

    def read(self, chunk: Chunk) -> pa.Table:
        return self._file.read_row_group(chunk.start).slice(chunk.size, chunk.rows)

    def columns(self) -> list[str]:
        return list(self._file.schema_arrow.names)

    @staticmethod
    def write(table: pa.Table, path: Path) -> None:
        parquet.write_table(table, path)


class Lines(Records):
    """A kind of file whose records are lines of text."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            with path.open("rb") as file:
                self._head = self._read_head(file)
        except OSError as error:
            raise UnreadableFile(f"{path} cannot be read: {error.strerror}") from None

    def chunks(self, rows: int) -> Iterator[Chunk]:
        with self.path.open("rb") as file:
            start = end = file.seek(len(self._head))
            number = count = 0
            for record in self._records(file):
                end += len(record)
                count += bool(record.strip())
                if count == rows:
                    yield Chunk(number, start, end - start, count)
                    start, number, count = end, number + 1, 0
            if count:
                yield Chunk(number, start, end - start, count)

    def _bytes(self, chunk: Chunk) -> bytes:
        with self.path.open("rb") as file:
            file.seek(chunk.start)
            return file.read(chunk.size)

    def _records(self, file: BinaryIO) -> Iterator[bytes]:
        return iter(file)

    @abstractmethod
    def _read_head(self, file: BinaryIO) -> bytes:
        """What stands before the first record."""


class JsonLines(Lines):
    """JSON objects, one a line. A record goes through as it is: its columns are its own."""

    suffix = ".jsonl"

    def read(self, chunk: Chunk) -> pa.Table:
        lines = [line for line in self._bytes(chunk).splitlines() if line.strip()]
        return pa.table({_RECORD: [self._checked(line) for line in lines]})

    def columns(self) -> list[str]:
        with self.path.open("rb") as file:
            first = next((line for line in file if line.strip()), b"{}")
        return list(json.loads(self._checked(first)))

    def _checked(self, line: bytes) -> str:
        try:
            if isinstance(msgspec.json.decode(line), dict):
                return line.decode()
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
        shown = line.decode("utf-8", "replace").strip()[:_SHOWN_CHARS]
        raise UnreadableFile(f"{self.path} has a line that is no JSON object: {shown}")

    def _read_head(self, file: BinaryIO) -> bytes:
        return b""

    @staticmethod
    def write(table: pa.Table, path: Path) -> None:
        with path.open("wb") as file:
            for row in table.to_pylist():
                record = msgspec.json.decode(row.pop(_RECORD))
                file.write(msgspec.json.encode({**record, **row}) + b"\n")


class Csv(Lines):
    """Comma-separated values with a head line; all columns are text, and stay what they are."""

    suffix = ".csv"

    def read(self, chunk: Chunk) -> pa.Table:
        names = self.columns()
        try:
            return csv.read_csv(
                io.BytesIO(self._bytes(chunk)),
                read_options=csv.ReadOptions(column_names=names),
                parse_options=csv.ParseOptions(newlines_in_values=True),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
                ),
            )
        except pa.ArrowInvalid as error:
            raise UnreadableFile(f"{self.path} is not CSV: {_first_line(error)}") from None

    def columns(self) -> list[str]:
        try:
            head = csv.read_csv(io.BytesIO(self._head + b"\n"))
        except pa.ArrowInvalid as error:
            raise UnreadableFile(f"{self.path} has no head line: {_first_line(error)}") from None
        return list(head.column_names)

    def _records(self, file: BinaryIO) -> Iterator[bytes]:
        record, quotes = b"", 0
        for line in file:
            record += line
            quotes += line.count(b'"')
            if quotes % 2 == 0:
                yield record
                record, quotes = b"", 0
        if record:
            raise UnreadableFile(f"{self.path} ends inside quotes")

    def _read_head(self, file: BinaryIO) -> bytes:
        return next(self._records(file), b"")

    @staticmethod
    def write(table: pa.Table, path: Path) -> None:
        nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
        for name in nested:
            values = [
                None if value is None else msgspec.json.encode(value).decode()
                for value in table[name].to_pylist()
            ]
            table = table.set_column(
                table.column_names.index(name), name, pa.array(values, pa.string())
            )
        csv.write_csv(table, path)


_RECORD = "record"
"""Column that holds a JSON line as it was read."""

KINDS: dict[str, type[Records]] = {kind.suffix: kind for kind in (Parquet, Csv, JsonLines)}


def open_records(path: Path) -> Records:
    """The file as records of the kind that its name says. UnreadableFile if it is none."""
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise UnreadableFile(f"{path} is none of {', '.join(KINDS)}; convert or rename it")
    return kind(path)


def column_of(table: pa.Table, name: str) -> list[Any]:
    """The values of a column, None where a record has none."""
    if table.column_names == [_RECORD]:
        return [json.loads(record).get(name) for record in table[_RECORD].to_pylist()]
    values: list[Any] = table[name].to_pylist()
    return values


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
