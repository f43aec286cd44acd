"""Bulk jobs: the answers of the service, parts that are whole, and jobs that go on."""

import json
from pathlib import Path
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra `bulk`)")

from pyarrow import parquet  # noqa: E402

from service.bulk.answers import arrow_type  # noqa: E402
from service.bulk.job import Job, JobError, PartWriter  # noqa: E402
from service.bundle import find_bundles, load_bundle  # noqa: E402
from service.tasks.ner import Entity  # noqa: E402
from service.tasks.registry import open_predictor  # noqa: E402
from service.tasks.translation import Translation  # noqa: E402
from tests.tiny_bundles import write_tiny_bundles  # noqa: E402


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundles(tmp_path_factory.mktemp("bundles"))


def write(path: Path, *texts: Any) -> Path:
    path.write_text("\n".join(json.dumps({"text": text}) for text in texts))
    return path


def plan(source: Path, bundles: Path, **changes: Any) -> Job:
    told: dict[str, Any] = {
        "task": "ner",
        "column": "text",
        "parameters": {},
        "chunk_rows": 2,
        "device": "cpu",
    }
    output = source.parent / "out"
    return Job.plan(source, output, bundles, **{**told, **changes})


def run(job: Job) -> list[dict[str, Any]]:
    job.begin()
    writer = PartWriter(job)
    for chunk in job.chunks():
        writer.write(chunk)
    parts = sorted(Path(job.output).glob("part-*"))
    return [json.loads(line) for part in parts for line in part.read_text().splitlines()]


def test_answers_are_those_of_the_predictor(tmp_path: Path, bundles: Path) -> None:
    texts = ["John Smith", "", "nobody", "smith and Smith", "a"]
    job = plan(write(tmp_path / "in.jsonl", *texts), bundles)
    predictor = open_predictor(load_bundle(find_bundles(bundles)["ner"]), "cpu")
    expected = predictor.predict(texts, predictor.parameters())
    found = [[Entity(**entity) for entity in row["answer"]] for row in run(job)]
    assert found == expected


def test_a_text_that_is_refused_costs_no_other_its_answer(tmp_path: Path, bundles: Path) -> None:
    texts = ["John Smith", None, 5, "a " * 3_000, "Smith"]
    rows = run(plan(write(tmp_path / "in.jsonl", *texts), bundles, chunk_rows=10))
    assert [row["answer"] is None for row in rows] == [False, True, True, True, False]
    assert "not a string" in rows[1]["error"]
    assert "3000 words" in rows[3]["error"]


def test_parquet_answers_have_one_type_even_where_nothing_is_found(
    tmp_path: Path, bundles: Path
) -> None:
    parquet.write_table(pa.table({"text": ["nobody", "Smith"]}), tmp_path / "in.parquet")
    job = plan(tmp_path / "in.parquet", bundles, chunk_rows=1)
    job.begin()
    writer = PartWriter(job)
    for chunk in job.chunks():
        writer.write(chunk)
    empty, found = (parquet.read_table(part) for part in sorted(Path(job.output).glob("part-*")))
    assert empty.schema == found.schema
    assert found["answer"].to_pylist()[0][0]["word"] == "Smith"


def test_answers_in_csv_are_json(tmp_path: Path, bundles: Path) -> None:
    (tmp_path / "in.csv").write_text("id,text\n007,John Smith\n")
    job = plan(tmp_path / "in.csv", bundles)
    job.begin()
    [chunk] = job.chunks()
    PartWriter(job).write(chunk)
    part = job.part(chunk).read_text()
    assert '"007","John Smith"' in part
    assert '""word"":""Smith""' in part


def test_a_job_goes_on_only_with_the_same_job(tmp_path: Path, bundles: Path) -> None:
    source = write(tmp_path / "in.jsonl", "a", "b")
    plan(source, bundles).begin()
    plan(source, bundles).begin()
    with pytest.raises(JobError, match="chunk_rows was 2, is 1"):
        plan(source, bundles, chunk_rows=1).begin()
    write(source, "a", "b", "c")
    with pytest.raises(JobError, match="input_bytes"):
        plan(source, bundles).begin()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, bundles: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(JobError, match="is not empty"):
        plan(write(tmp_path / "in.jsonl", "a"), bundles).begin()


@pytest.mark.parametrize(
    "changes, word",
    [
        ({"task": "nothing"}, "--task nothing has no bundle"),
        ({"column": "body"}, "--column body is not in"),
        ({"parameters": {"colour": 1}}, "--parameters"),
    ],
)
def test_a_job_that_cannot_be_done_is_told(
    tmp_path: Path, bundles: Path, changes: dict[str, Any], word: str
) -> None:
    with pytest.raises(JobError, match=word):
        plan(write(tmp_path / "in.jsonl", "a"), bundles, **changes)


def test_columns_that_would_be_overwritten_are_told(tmp_path: Path, bundles: Path) -> None:
    (tmp_path / "in.csv").write_text("text,answer\na,b\n")
    with pytest.raises(JobError, match="'answer' already"):
        plan(tmp_path / "in.csv", bundles)


def test_arrow_types_follow_the_answers() -> None:
    assert arrow_type(list[Entity]).value_type.field("start").type == pa.int64()
    assert arrow_type(Translation).field("src_lang").type == pa.string()
