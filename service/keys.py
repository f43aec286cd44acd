"""API keys: a file of names and hashes, read again when it changes.

Each line is `name:hash`, the SHA-256 of a key in hex; blank lines and lines with `#` are skipped.
Two lines may have one name, so that a new key can be handed out before the old one goes. Keys are
256 random bits: nobody can guess one, and a slow hash would protect nothing that a fast one does
not.

`python -m service.keys NAME` makes a key, and the line that lets it in.
"""

import argparse
import hashlib
import hmac
import logging
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_PREFIX = "sluice_"
_RANDOM_BYTES = 32
_MAX_KEYS = 1_000
_CHECK_EVERY_S = 1.0
_LINE = re.compile(r"([a-z0-9][a-z0-9_-]{0,63}):([0-9a-f]{64})")

log = logging.getLogger("sluice")


class KeyFileError(Exception):
    """A file of keys that cannot be used: names the place and the fix, never a key."""


class NewKey(NamedTuple):
    """A key for its user, and the line for the file."""

    key: str
    line: str


class ApiKeys:
    """The keys of a file. A changed file holds at once; a broken one leaves the old keys."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the file. KeyFileError if it cannot be used."""
        self._path = path
        self._clock = clock
        self._seen = _stamp(path)
        self._hashes = read_keys(path)
        self._next_check = clock() + _CHECK_EVERY_S

    def name_of(self, key: str) -> str | None:
        """Whose key this is, None for nobody's; as slow for a wrong key as for a right one."""
        self._refresh()
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        found = None
        for known, name in self._hashes:
            if hmac.compare_digest(known, digest):
                found = name
        return found

    def _refresh(self) -> None:
        now = self._clock()
        if now < self._next_check:
            return
        self._next_check = now + _CHECK_EVERY_S
        try:
            stamp = _stamp(self._path)
            if stamp == self._seen:
                return
            self._seen = stamp
            self._hashes = read_keys(self._path)
        except KeyFileError as error:
            log.error("the API keys stay as they were: %s", error)
        else:
            log.info("%d API keys read from %s", len(self._hashes), self._path)


def read_keys(path: Path) -> list[tuple[bytes, str]]:
    """Hash and name of each line. KeyFileError for a file that cannot be read or has a bad line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise KeyFileError(f"{path} is not UTF-8 text") from None
    keys = [
        _parse(path, number, line)
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not 0 < len(keys) <= _MAX_KEYS:
        raise KeyFileError(f"{path} has {len(keys)} keys; it must have 1 to {_MAX_KEYS}")
    return keys


def make_key(name: str) -> NewKey:
    """A new random key. ValueError for a name that no line may have."""
    key = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    line = f"{name}:{hashlib.sha256(key.encode()).hexdigest()}"
    if not _LINE.fullmatch(line):
        raise ValueError(
            f"{name!r} is no name for a key; use up to 64 of a-z, 0-9, - and _, a letter or digit "
            "first"
        )
    return NewKey(key, line)


def main() -> None:
    """Print a new key and its line."""
    parser = argparse.ArgumentParser(prog="python -m service.keys", description=__doc__)
    parser.add_argument("name", help="whose key it is; a label of metrics and logs")
    try:
        made = make_key(parser.parse_args().name)
    except ValueError as error:
        parser.error(str(error))
    print(f"key, for its user alone:             {made.key}")
    print(f"line, for SLUICE_API_KEYS_FILE:      {made.line}")


def _parse(path: Path, number: int, line: str) -> tuple[bytes, str]:
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise KeyFileError(
            f"line {number} of {path} is not name:sha256 in lower case; "
            "make one with: python -m service.keys NAME"
        )
    return bytes.fromhex(match[2]), match[1]


def _stamp(path: Path) -> tuple[int, int, int]:
    """What differs once the file has been written or replaced."""
    try:
        found = path.stat()
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read ({error.strerror})") from None
    return found.st_mtime_ns, found.st_size, found.st_ino


if __name__ == "__main__":
    main()
