"""Files in chunks: nothing is lost, nothing is read twice, and what comes out is what went in."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra `bulk`)")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from pyarrow import parquet  # noqa: E402

from service.bulk.files import UnreadableFile, column_of, open_records  # noqa: E402

TEXTS = ["a", "", 'say "hi"', "two\nlines", "kom,ma", "नमस्ते 😀", " blank ", "NA", "null", "1.50"]


def write_csv(path: Path, texts: list[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows([[str(number), text] for number, text in enumerate(texts)])


def write_jsonl(path: Path, texts: list[Any]) -> None:
    lines = [json.dumps({"id": number, "text": text}) for number, text in enumerate(texts)]
    path.write_text("\n".join(lines))


def write_parquet(path: Path, texts: list[Any]) -> None:
    table = pa.table({"id": list(range(len(texts))), "text": texts})
    parquet.write_table(table, path, row_group_size=4)


WRITERS = {".csv": write_csv, ".jsonl": write_jsonl, ".parquet": write_parquet}


def read_all(path: Path, rows: int) -> list[Any]:
    records = open_records(path)
    chunks = list(records.chunks(rows))
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    read = [column_of(records.read(chunk), "text") for chunk in reversed(chunks)]
    assert [len(part) for part in reversed(read)] == [chunk.rows for chunk in chunks]
    return [text for part in reversed(read) for text in part]


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("rows", [1, 3, 7, 100])
def test_chunks_hold_every_record_once_and_in_order(tmp_path: Path, suffix: str, rows: int) -> None:
    path = tmp_path / f"in{suffix}"
    WRITERS[suffix](path, TEXTS)
    assert read_all(path, rows) == TEXTS


@given(texts=st.lists(st.text(st.sampled_from('a",\n\r é')), min_size=1, max_size=12))
def test_csv_is_cut_only_between_records(texts: list[str], tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("csv") / "in.csv"
    write_csv(path, texts)
    expected = list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
    assert read_all(path, 2) == [row["text"] for row in expected]


@pytest.mark.parametrize("suffix", WRITERS)
def test_an_empty_file_has_no_chunks(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"in{suffix}"
    WRITERS[suffix](path, [])
    assert list(open_records(path).chunks(5)) == []


def test_a_json_line_keeps_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a", "n": 1.50, "deep": {"x": [null]}}\n\n{"other": 1}\n')
    records = open_records(path)
    [chunk] = records.chunks(10)
    table = records.read(chunk).append_column("answer", pa.array([["x"], None]))
    records.write(table, tmp_path / "out.jsonl")
    first, second = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert first == {"text": "a", "n": 1.5, "deep": {"x": [None]}, "answer": ["x"]}
    assert second == {"other": 1, "answer": None}


@pytest.mark.parametrize(
    "name, content, word",
    [
        ("in.txt", b"a", ".parquet, .csv, .jsonl"),
        ("in.parquet", b"text\na", "cannot be read"),
        ("in.csv", b'text\n"a', "ends inside quotes"),
        ("in.csv", b"text\na,b\n", "is not CSV"),
        ("in.jsonl", b'{"text": "a"}\n[1]\n', "no JSON object: [1]"),
        ("in.jsonl", b'{"text": "\xff"}\n', "no JSON object"),
    ],
)
def test_what_is_not_what_its_name_says_is_told(
    tmp_path: Path, name: str, content: bytes, word: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableFile) as told:
        read_all(path, 10)
    assert word in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    for suffix in WRITERS:
        with pytest.raises(UnreadableFile, match="cannot be read"):
            open_records(tmp_path / f"no{suffix}")
