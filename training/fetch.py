"""Gets the data sets of the shipped models from public sources or from a mirror.

Every file is checked by the SHA-256 of its uncompressed content, which `data/catalogue.yaml` lists.
A download that breaks off stays as `<name>.part` and is continued by the next run.
"""

import gzip
import hashlib
import lzma
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NoReturn
from urllib.parse import quote, urlsplit

import httpx
import yaml
from pydantic import Field, ValidationError
from tqdm import tqdm

from training.config import Settings
from training.data.sources import BUILDERS
from training.errors import DataError, OutputError

CATALOGUE = Path(__file__).parent / "data" / "catalogue.yaml"
MIRROR_VARIABLE = "SLUICE_DATA_MIRROR"
_TIMEOUT_S = 30.0
_BLOCK_BYTES = 1 << 20
_UNUSABLE_RANGE = (httpx.codes.PARTIAL_CONTENT, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE)


class DataFile(Settings):
    """One file of a set: path below the data folder, size and hash of its uncompressed content."""

    path: str = Field(pattern=r"^[a-z0-9][\w./-]*\.(gz|xz)$")
    size: int = Field(gt=0)
    """Bytes, uncompressed."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Source(Settings):
    """A place in a public GitHub repository."""

    repository: str
    path: str
    commit: str | None = None
    note: str | None = None

    def __str__(self) -> str:
        at = f" at {self.commit[:12]}" if self.commit else ""
        return f"github.com/{self.repository} {self.path}{at}"


class DataSet(Settings):
    licence: str
    attribution: str
    sources: tuple[Source, ...] = Field(min_length=1)
    raw: tuple[str, ...] = ()
    """Addresses of the public files that a builder works from."""
    files: tuple[DataFile, ...] = Field(min_length=1)


class Catalogue(Settings):
    sets: dict[str, DataSet]


def load_catalogue(path: Path = CATALOGUE) -> Catalogue:
    """DataError if the catalogue cannot be read or holds a wrong key or value."""
    try:
        return Catalogue.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise DataError(f"{path}: no usable catalogue: {_one_line(error)}") from error


def catalogue_sets() -> list[str]:
    """Names of all sets, such as `ner/gmb`."""
    return list(load_catalogue().sets)


def fetch(
    names: Sequence[str], root: Path, *, mirror: str | None = None, catalogue: Path = CATALOGUE
) -> None:
    """Bring the named sets below `root`; what is there and right is left alone.

    A name is a set (`ner/gmb`) or a task (`ner`); no names means all sets. `mirror` is the http(s)
    address of a folder with our layout, `SLUICE_DATA_MIRROR` if not given; without one, sets are
    rebuilt from their public files where that is possible. Raises DataError for unknown names,
    failed or damaged downloads and sets that only a mirror has (after all others have come), and
    OutputError if `root` cannot be written.
    """
    chosen = _choose(names, load_catalogue(catalogue))
    folder = _mirror_folder(mirror or os.environ.get(MIRROR_VARIABLE))
    only_mirrored: dict[str, DataSet] = {}
    with _client() as client:
        for name, data_set in chosen.items():
            wanted = [file for file in data_set.files if not _is_right(root / file.path, file)]
            if wanted and folder:
                _copy(client, folder, wanted, root)
            elif wanted and name in BUILDERS:
                _rebuild(client, name, data_set.raw, wanted, root)
            elif wanted:
                only_mirrored[name] = data_set
    if only_mirrored:
        raise DataError(_mirror_needed(only_mirrored))


def _choose(names: Sequence[str], catalogue: Catalogue) -> dict[str, DataSet]:
    if not names:
        return catalogue.sets
    chosen: dict[str, DataSet] = {}
    for name in names:
        below = {key: value for key, value in catalogue.sets.items() if _is_below(key, name)}
        if not below:
            raise DataError(f"{name}: no such data set; there are {', '.join(catalogue.sets)}")
        chosen |= below
    return chosen


def _is_below(name: str, ancestor: str) -> bool:
    return name == ancestor or name.startswith(f"{ancestor}/")


def _mirror_folder(given: str | None) -> str | None:
    if not given:
        return None
    try:
        parts = urlsplit(given)
    except ValueError as error:
        raise DataError(f"{given}: not the address of a mirror: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise DataError(f"{_shown(given)}: not an address of a mirror; write https://host/folder")
    return given.rstrip("/")


def _mirror_needed(missing: Mapping[str, DataSet]) -> str:
    origins = "; ".join(
        f"{name} ({', '.join(str(source) for source in data_set.sources)})"
        for name, data_set in missing.items()
    )
    return (
        f"no recipe to rebuild {len(missing)} of the sets from public files: give a mirror that has"
        f" them (--mirror ADDRESS or {MIRROR_VARIABLE}); they come from: {origins}"
    )


def _copy(client: httpx.Client, folder: str, files: Sequence[DataFile], root: Path) -> None:
    """Download files of our layout from a mirror; DataError if one is not what it should be."""
    for file in files:
        target = root / file.path
        part = _part_of(target)
        address = f"{folder}/{quote(file.path)}"
        # A run that was stopped between the last byte and the renaming left a finished part.
        if not _is_right(part, file):
            _download(client, address, part)
        found = _content_sha256(part, target.suffix)
        if found != file.sha256:
            _discard(part)
            raise DataError(_damaged(_shown(address), found, file))
        _put(part, target)


def _rebuild(
    client: httpx.Client, name: str, raw: Sequence[str], wanted: Sequence[DataFile], root: Path
) -> None:
    """Make `wanted` from the public files; these are removed afterwards, whatever came of it."""
    folder = root / name / ".raw"
    for address in raw:
        target = folder / PurePosixPath(urlsplit(address).path).name
        if not target.exists():
            _download(client, address, _part_of(target))
            _put(_part_of(target), target)
    try:
        built = BUILDERS[name](folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for file in wanted:
        _store(built[file.path], file, root / file.path)


def _store(content: bytes, file: DataFile, target: Path) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise DataError(_damaged(f"{file.path}, rebuilt from its public files", found, file))
    part = _part_of(target)
    with _writing(part):
        compressed = gzip.compress(content) if target.suffix == ".gz" else lzma.compress(content)
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(compressed)
    _put(part, target)


def _download(client: httpx.Client, address: str, part: Path) -> None:
    """Bring `address` to `part`, after the bytes that are already there."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    try:
        with client.stream("GET", address, headers=headers) as answer:
            if have and _continues(answer, have):
                return _receive(answer, part, have)
            # A server that does not know ranges sends the whole file.
            if answer.status_code == httpx.codes.OK:
                _discard(part)
                return _receive(answer, part, 0)
            if not have or answer.status_code not in _UNUSABLE_RANGE:
                reason = f"{answer.status_code} {answer.reason_phrase}"
                raise DataError(f"{_shown(address)}: the server answered {reason}")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DataError(
            f"{_shown(address)}: {_one_line(error)}; check the address and the network, then run"
            " the same command to continue"
        ) from error
    _discard(part)
    return _download(client, address, part)


def _continues(answer: httpx.Response, have: int) -> bool:
    """Whether the answer is the rest of a file of which we have the first `have` bytes."""
    begin = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
    return begin and answer.status_code == httpx.codes.PARTIAL_CONTENT


def _receive(answer: httpx.Response, part: Path, have: int) -> None:
    length = answer.headers.get("Content-Length", "")
    total = have + int(length) if length.isdigit() else None
    with _writing(part):
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file, _progress(part, total, have) as bar:
            for block in answer.iter_raw():
                file.write(block)
                bar.update(len(block))


def _progress(part: Path, total: int | None, have: int) -> "tqdm[NoReturn]":
    name = f"{part.parent.name}/{part.stem}"
    # disable=None: no bar where standard error is not a terminal.
    return tqdm(desc=name, total=total, initial=have, unit="B", unit_scale=True, disable=None)


def _client() -> httpx.Client:
    # Identity: a server must not send a .gz file as a compressed stream of its content.
    return httpx.Client(
        follow_redirects=True, timeout=_TIMEOUT_S, headers={"Accept-Encoding": "identity"}
    )


def _is_right(path: Path, file: DataFile) -> bool:
    return _content_sha256(path, PurePosixPath(file.path).suffix) == file.sha256


def _content_sha256(path: Path, compression: str) -> str:
    """SHA-256 of the uncompressed content; in its place the reason if there is no content."""
    digest = hashlib.sha256()
    opened = gzip.open if compression == ".gz" else lzma.open
    try:
        with opened(path, "rb") as content:
            while block := content.read(_BLOCK_BYTES):
                digest.update(block)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        return f"none ({_one_line(error)})"
    return digest.hexdigest()


def _damaged(what: str, found: str, file: DataFile) -> str:
    return (
        f"{what}: damaged: SHA-256 of the content is {found}, expected {file.sha256};"
        " run again, or use another mirror"
    )


def _part_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _discard(part: Path) -> None:
    with _writing(part):
        part.unlink(missing_ok=True)


def _put(part: Path, target: Path) -> None:
    with _writing(target):
        part.replace(target)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def _shown(address: str) -> str:
    """The address without user and password, which do not belong in a log."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
