"""`python -m service.bulk` on a real Ray of this machine: cut off, gone on with, and whole."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.processes import ROOT, environment

pytest.importorskip("ray", reason="Ray is not installed (extra `bulk`)")

TEXTS = ["John Smith left", "", "nobody", "Smith"]


def bulk(source: Path, output: Path, bundles: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service.bulk", str(source), str(output), *more]
    return subprocess.run(
        [*command, "--bundles", str(bundles)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=280,
    )


def test_a_job_goes_on_with_the_parts_that_are_missing(tiny_bundles: Path, tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out"
    rows = [{"id": number, "text": TEXTS[number % 4]} for number in range(50)]
    source.write_text("\n".join(map(json.dumps, rows)))
    given = ("--task", "ner", "--chunk-rows", "10")
    done = bulk(source, output, tiny_bundles, *given)
    assert done.returncode == 0, done.stderr
    parts = sorted(output.glob("part-*"))
    answers = [json.loads(line) for part in parts for line in part.read_text().splitlines()]
    assert [row["id"] for row in answers] == list(range(50))
    assert [entity["word"] for entity in answers[3]["answer"]] == ["Smith"]
    kept = parts[0].stat().st_mtime_ns
    parts[3].unlink()
    again = bulk(source, output, tiny_bundles, *given)
    assert "10 written now" in again.stdout
    assert "40 there before" in again.stdout
    assert parts[0].stat().st_mtime_ns == kept
    assert (output / "_SUCCESS").exists()


def test_a_job_that_cannot_be_done_is_one_line(tiny_bundles: Path, tmp_path: Path) -> None:
    ended = bulk(tmp_path / "no.csv", tmp_path / "out", tiny_bundles, "--task", "ner")
    assert ended.returncode == 2
    [line] = ended.stderr.splitlines()
    assert "no.csv cannot be read" in line
