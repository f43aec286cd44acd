"""Fetching data sets: a real HTTP server on this machine, a tiny catalogue, real files."""

import gzip
import hashlib
import lzma
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from training.data.sources import BUILDERS, indian_parallel
from training.errors import DataError, OutputError, TrainingError
from training.fetch import catalogue_sets, fetch, load_catalogue

GREETINGS = "".join(f"{number}\thello\thallo\n" for number in range(4000)).encode()
FAREWELLS = "bye\ttschüss\n".encode()
SOURCE = {"repository": "somebody/texts", "path": "greetings.zip", "commit": "0123456789abcdef"}


@dataclass
class Site:
    """What the server has, how it behaves, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    knows_ranges: bool = True
    breaks_after: int | None = None
    """Bytes after which it closes the connection in the middle of a body."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    address: str = ""


class Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        wanted = self.headers["Range"]
        self.site.asked.append((self.path, wanted))
        content = self.site.files.get(self.path.lstrip("/"))
        if content is None:
            self.send_error(404)
        elif wanted and self.site.knows_ranges:
            self._send_rest(content, int(wanted.removeprefix("bytes=").removesuffix("-")))
        else:
            self._send(200, content, {})

    def _send_rest(self, content: bytes, begin: int) -> None:
        if begin >= len(content):
            self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            return
        span = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        self._send(206, content[begin:], {"Content-Range": span})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: self.site.breaks_after])

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error: tests read `Site.asked`."""


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    handler = type("SiteHandler", (Handler,), {"site": site})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        site.address = f"http://127.0.0.1:{server.server_port}"
        yield site
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_mirror_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLUICE_DATA_MIRROR", raising=False)


@pytest.fixture
def catalogue(tmp_path: Path, site: Site) -> Path:
    """Two sets, both on the mirror `<site>/mirror`."""
    site.files["mirror/greetings/formal/train.tsv.gz"] = gzip.compress(GREETINGS)
    site.files["mirror/farewells/test.tsv.xz"] = lzma.compress(FAREWELLS)
    return write_catalogue(
        tmp_path / "catalogue.yaml",
        {
            "greetings/formal": {"greetings/formal/train.tsv.gz": GREETINGS},
            "farewells": {"farewells/test.tsv.xz": FAREWELLS},
        },
    )


def write_catalogue(
    path: Path, sets: dict[str, dict[str, bytes]], raw: tuple[str, ...] = ()
) -> Path:
    entries = {
        name: {
            "licence": "CC0",
            "attribution": "nobody",
            "sources": [SOURCE],
            "raw": list(raw),
            "files": [
                {"path": file, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                for file, content in files.items()
            ],
        }
        for name, files in sets.items()
    }
    path.write_text(yaml.safe_dump({"sets": entries}, sort_keys=False), encoding="utf-8")
    return path


def one_line(fault: pytest.ExceptionInfo[TrainingError]) -> str:
    message = str(fault.value)
    assert "\n" not in message
    return message


def test_every_file_of_the_named_sets_arrives(tmp_path: Path, site: Site, catalogue: Path) -> None:
    fetch(
        ["greetings", "farewells"],
        tmp_path / "data",
        mirror=f"{site.address}/mirror/",
        catalogue=catalogue,
    )
    with gzip.open(tmp_path / "data/greetings/formal/train.tsv.gz") as content:
        assert content.read() == GREETINGS
    with lzma.open(tmp_path / "data/farewells/test.tsv.xz") as content:
        assert content.read() == FAREWELLS
    assert not list(tmp_path.rglob("*.part"))


def test_only_the_named_set_arrives(tmp_path: Path, site: Site, catalogue: Path) -> None:
    fetch(["farewells"], tmp_path, mirror=f"{site.address}/mirror", catalogue=catalogue)
    assert [path for path, _ in site.asked] == ["/mirror/farewells/test.tsv.xz"]


def test_no_name_means_every_set(
    tmp_path: Path, site: Site, catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_DATA_MIRROR", f"{site.address}/mirror")
    fetch([], tmp_path, catalogue=catalogue)
    assert len(site.asked) == 2


def test_second_run_asks_the_server_nothing(tmp_path: Path, site: Site, catalogue: Path) -> None:
    fetch([], tmp_path, mirror=f"{site.address}/mirror", catalogue=catalogue)
    site.asked.clear()
    fetch([], tmp_path, mirror=f"{site.address}/mirror", catalogue=catalogue)
    assert site.asked == []


def test_file_compressed_by_another_program_is_right(
    tmp_path: Path, site: Site, catalogue: Path
) -> None:
    target = tmp_path / "greetings/formal/train.tsv.gz"
    target.parent.mkdir(parents=True)
    target.write_bytes(gzip.compress(GREETINGS, compresslevel=1))
    fetch(["greetings"], tmp_path, mirror=f"{site.address}/mirror", catalogue=catalogue)
    assert site.asked == []


def test_damaged_file_is_replaced(tmp_path: Path, site: Site, catalogue: Path) -> None:
    target = tmp_path / "farewells/test.tsv.xz"
    target.parent.mkdir(parents=True)
    target.write_bytes(lzma.compress(FAREWELLS)[:-9])
    fetch(["farewells"], tmp_path, mirror=f"{site.address}/mirror", catalogue=catalogue)
    assert lzma.decompress(target.read_bytes()) == FAREWELLS


def test_interrupted_download_continues_where_it_stopped(
    tmp_path: Path, site: Site, catalogue: Path
) -> None:
    site.breaks_after = 1000
    with pytest.raises(DataError, match="run the same command to continue") as fault:
        fetch(["greetings"], tmp_path, mirror=f"{site.address}/mirror", catalogue=catalogue)
    assert "train.tsv.gz" in one_line(fault)
    part = tmp_path / "greetings/formal/train.tsv.gz.part"
    assert part.stat().st_size == 1000

    site.breaks_after = None
    fetch(["greetings"], tmp_path, mirror=f"{site.address}/mirror", catalogue=catalogue)
    assert site.asked[-1] == ("/mirror/greetings/formal/train.tsv.gz", "bytes=1000-")
    assert gzip.decompress(part.with_suffix("").read_bytes()) == GREETINGS
    assert not part.exists()


def test_download_starts_over_where_the_server_knows_no_ranges(
    tmp_path: Path, site: Site, catalogue: Path
) -> None:
    part = tmp_path / "farewells/test.tsv.xz.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half")
    site.knows_ranges = False
    fetch(["farewells"], tmp_path, mirror=f"{site.address}/mirror", catalogue=catalogue)
    assert lzma.decompress(part.with_suffix("").read_bytes()) == FAREWELLS


def test_part_longer_than_the_file_is_thrown_away(
    tmp_path: Path, site: Site, catalogue: Path
) -> None:
    part = tmp_path / "farewells/test.tsv.xz.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(10_000))
    fetch(["farewells"], tmp_path, mirror=f"{site.address}/mirror", catalogue=catalogue)
    assert [span for _, span in site.asked] == ["bytes=10000-", None]
    assert lzma.decompress(part.with_suffix("").read_bytes()) == FAREWELLS


def test_finished_part_is_taken_without_a_request(
    tmp_path: Path, site: Site, catalogue: Path
) -> None:
    part = tmp_path / "farewells/test.tsv.xz.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(lzma.compress(FAREWELLS))
    fetch(["farewells"], tmp_path, mirror=f"{site.address}/mirror", catalogue=catalogue)
    assert site.asked == []
    assert not part.exists()


def test_other_content_is_refused_with_both_checksums(
    tmp_path: Path, site: Site, catalogue: Path
) -> None:
    other = b"goodbye\ttsch\xc3\xbcss\n"
    site.files["mirror/farewells/test.tsv.xz"] = lzma.compress(other)
    with pytest.raises(DataError) as fault:
        fetch(["farewells"], tmp_path, mirror=f"{site.address}/mirror", catalogue=catalogue)
    message = one_line(fault)
    assert "farewells/test.tsv.xz" in message
    assert f"is {hashlib.sha256(other).hexdigest()}" in message
    assert f"expected {hashlib.sha256(FAREWELLS).hexdigest()}" in message
    assert not list((tmp_path / "farewells").iterdir())


def test_page_instead_of_a_compressed_file_is_refused(
    tmp_path: Path, site: Site, catalogue: Path
) -> None:
    site.files["mirror/greetings/formal/train.tsv.gz"] = b"<html>please log in</html>"
    with pytest.raises(DataError, match=r"content is none \(Not a gzipped file"):
        fetch(["greetings"], tmp_path, mirror=f"{site.address}/mirror", catalogue=catalogue)


def test_file_that_the_mirror_lacks_is_named(tmp_path: Path, site: Site, catalogue: Path) -> None:
    with pytest.raises(DataError, match="404 Not Found") as fault:
        fetch(["farewells"], tmp_path, mirror=f"{site.address}/elsewhere", catalogue=catalogue)
    assert f"{site.address}/elsewhere/farewells/test.tsv.xz" in one_line(fault)


def test_unreachable_mirror_is_one_line_without_the_password(
    tmp_path: Path, catalogue: Path
) -> None:
    # Port 9 (discard): nothing listens there.
    with pytest.raises(DataError, match="check the address and the network") as fault:
        fetch([], tmp_path, mirror="http://me:secret@127.0.0.1:9/mirror", catalogue=catalogue)
    assert "http://127.0.0.1:9/mirror/greetings" in one_line(fault)
    assert "secret" not in one_line(fault)


@pytest.mark.parametrize("mirror", ["ftp://host/data", "data/mirror", "https://", "http://[::1"])
def test_mirror_must_be_an_http_address(tmp_path: Path, catalogue: Path, mirror: str) -> None:
    with pytest.raises(DataError, match="mirror") as fault:
        fetch([], tmp_path, mirror=mirror, catalogue=catalogue)
    assert one_line(fault).startswith(mirror)


def test_folder_that_cannot_be_written_is_an_output_error(
    tmp_path: Path, site: Site, catalogue: Path
) -> None:
    # A file where a folder should be stops root too, unlike missing write permission.
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(OutputError, match="cannot be written") as fault:
        fetch([], tmp_path / "data", mirror=f"{site.address}/mirror", catalogue=catalogue)
    assert str(tmp_path / "data") in one_line(fault)


def test_unknown_set_is_refused_with_the_known_ones(tmp_path: Path, catalogue: Path) -> None:
    with pytest.raises(DataError, match=r"poems: no such data set; .*greetings/formal, farewells"):
        fetch(["poems"], tmp_path, catalogue=catalogue)


def test_sets_without_a_recipe_ask_for_a_mirror_and_name_their_source(
    tmp_path: Path, catalogue: Path
) -> None:
    with pytest.raises(DataError, match="SLUICE_DATA_MIRROR") as fault:
        fetch(["greetings"], tmp_path, catalogue=catalogue)
    expected = "greetings/formal (github.com/somebody/texts greetings.zip at 0123456789ab)"
    assert expected in one_line(fault)


def raw_files() -> dict[str, str]:
    """Two rows of each part, in the layout of the public repository."""
    columns = {"seg_ids": "7_0\n7_1\n", "hi": " नमस्ते\nफिर मिलेंगे \n"}
    columns |= {f"en.{number}": f"hello {number}\n\n" for number in range(4)}
    parts = ("dev", "devtest", "test")
    return {f"{part}.hi-en.{name}": text for part in parts for name, text in columns.items()}


TABLE = (
    "seg_id\thi\ten0\ten1\ten2\ten3\n"
    "7_0\tनमस्ते\thello 0\thello 1\thello 2\thello 3\n"
    "7_1\tफिर मिलेंगे\t\t\t\t\n"
).encode()


def public_catalogue(tmp_path: Path, site: Site) -> Path:
    for name, text in raw_files().items():
        site.files[f"raw/{name}"] = text.encode()
    files = {f"{indian_parallel.NAME}/{part}.tsv.xz": TABLE for part in ("dev", "devtest", "test")}
    raw = tuple(f"{site.address}/raw/{name}" for name in raw_files())
    return write_catalogue(tmp_path / "public.yaml", {indian_parallel.NAME: files}, raw)


def test_set_with_a_recipe_is_rebuilt_from_its_public_files(tmp_path: Path, site: Site) -> None:
    catalogue = public_catalogue(tmp_path, site)
    fetch([], tmp_path / "data", catalogue=catalogue)
    folder = tmp_path / "data" / indian_parallel.NAME
    assert sorted(path.name for path in folder.iterdir()) == [
        "dev.tsv.xz",
        "devtest.tsv.xz",
        "test.tsv.xz",
    ]
    assert lzma.decompress((folder / "dev.tsv.xz").read_bytes()) == TABLE

    site.asked.clear()
    fetch([], tmp_path / "data", catalogue=catalogue)
    assert site.asked == []


def test_changed_public_file_is_refused_with_both_checksums(tmp_path: Path, site: Site) -> None:
    catalogue = public_catalogue(tmp_path, site)
    site.files["raw/dev.hi-en.en.3"] = b"changed\n\n"
    with pytest.raises(DataError, match="rebuilt from its public files") as fault:
        fetch([], tmp_path / "data", catalogue=catalogue)
    assert re.search(
        rf"dev\.tsv\.xz.* is [0-9a-f]{{64}}, expected {hashlib.sha256(TABLE).hexdigest()}",
        one_line(fault),
    )
    assert not list((tmp_path / "data" / indian_parallel.NAME).iterdir())


def test_raw_files_that_are_not_aligned_are_refused(tmp_path: Path, site: Site) -> None:
    catalogue = public_catalogue(tmp_path, site)
    site.files["raw/devtest.hi-en.hi"] = "नमस्ते\n".encode()
    with pytest.raises(DataError, match="devtest: raw files have 1 to 2 lines"):
        fetch([], tmp_path / "data", catalogue=catalogue)


def test_catalogue_of_the_product_is_complete() -> None:
    catalogue = load_catalogue()
    assert set(catalogue_sets()) == set(catalogue.sets)
    assert set(BUILDERS) == {name for name, data_set in catalogue.sets.items() if data_set.raw}
    paths = [file.path for data_set in catalogue.sets.values() for file in data_set.files]
    assert len(paths) == len(set(paths))
    for name, data_set in catalogue.sets.items():
        assert all(file.path.startswith(f"{name}/") for file in data_set.files)
        assert all(address.startswith("https://") for address in data_set.raw)


def test_damaged_catalogue_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text("sets: {a: {licence: CC0}}", encoding="utf-8")
    with pytest.raises(DataError, match="no usable catalogue") as fault:
        fetch([], tmp_path, catalogue=path)
    assert str(path) in one_line(fault)
