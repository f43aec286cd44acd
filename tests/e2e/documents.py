"""Documents that are true: their files are written, their commands run, their outputs compared.

A block that is fenced as `python NAME` or `yaml NAME` is a file. In a `console` block, a line
behind "$ " is a command and what follows is its output; "…" there stands for anything.

    python -m tests.e2e.documents URL    runs the documents against the service at URL and puts
                                         what they print into them
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.e2e.model_table import write_table

ROOT = Path(__file__).parents[2]
SERVED = [ROOT / "README.md", ROOT / "docs" / "use.md"]
"""Documents whose commands ask a service at the address below."""
TUTORIAL = ROOT / "docs" / "train.md"
ADDRESS = "localhost:3000"
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^\$ (.*(?:\\\n.*)*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_NUMBER = re.compile(r"\d+\.\d+")
_TOLERANCE = 0.03
_LIMIT_S = 900


class File(NamedTuple):
    name: str
    text: str


class Command(NamedTuple):
    """`start` and `end` are where its output stands in the document."""

    line: str
    output: str
    start: int
    end: int


class Workplace:
    """A folder where a document's files lie and its commands run, with the tools of a checkout."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self._address = folder, url.removeprefix("http://")
        tools = folder / ".tools"
        tools.mkdir(parents=True, exist_ok=True)
        for name, module in (("python", ""), ("sluice", "-m service.cli")):
            tool = tools / name
            tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
            tool.chmod(0o755)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("SLUICE_")}
        self._environment = {
            **kept,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SLUICE": url,
            "HF_TOKEN": "none",
            "COLUMNS": "100",
        }

    def run(self, line: str) -> str:
        """What a command prints. AssertionError if it fails."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line.replace(ADDRESS, self._address)],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout.replace(self._address, ADDRESS)

    def write(self, file: File) -> None:
        path = self.folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text.replace(ADDRESS, self._address), encoding="utf-8")


def parts_of(text: str) -> Iterator[File | Command]:
    """Files and commands of a document, in order."""
    for block in _BLOCK.finditer(text):
        kind, name, body = block.groups()
        if name:
            yield File(name, body)
        elif kind == "console":
            for found in _COMMAND.finditer(body):
                at = block.start(3)
                yield Command(found[1], found[2], at + found.start(2), at + found.end(2))


def differs(shown: str, found: str) -> bool:
    """True unless `found` is what a document shows; numbers may differ by a little."""
    pattern = ".*".join(
        r"(\d+\.\d+)".join(map(re.escape, _NUMBER.split(part))) for part in shown.strip().split("…")
    )
    match = re.fullmatch(pattern, found.strip(), re.DOTALL)
    if match is None:
        return True
    wanted = [float(number) for number in _NUMBER.findall(shown)]
    pairs = zip(wanted, map(float, match.groups()), strict=True)
    return any(abs(a - b) > _TOLERANCE * max(1, abs(a)) for a, b in pairs)


def check(document: Path, place: Workplace) -> None:
    """Run a document from its start to its end. AssertionError where it does not tell the truth."""
    for part in parts_of(document.read_text(encoding="utf-8")):
        if isinstance(part, File):
            place.write(part)
            continue
        found = place.run(part.line)
        assert not differs(part.output, found), f"{part.line}\nshown: {part.output}found: {found}"


def refresh(document: Path, place: Workplace) -> None:
    """Put into a document what its commands print now; shown outputs with "…" are kept."""
    text = document.read_text(encoding="utf-8")
    news: list[tuple[Command, str]] = []
    for part in parts_of(text):
        if isinstance(part, File):
            place.write(part)
            continue
        found = place.run(part.line)
        if "…" not in part.output and differs(part.output, found):
            news.append((part, found.rstrip("\n") + "\n" if found else ""))
    for command, output in reversed(news):
        text = text[: command.start] + output + text[command.end :]
    document.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_table(ROOT / "README.md", ROOT / "exported_models")
    for path in [*SERVED, TUTORIAL]:
        with tempfile.TemporaryDirectory() as folder:
            refresh(path, Workplace(Path(folder), sys.argv[1].rstrip("/")))
