"""How sets are rebuilt from their public files: one module per set, listed in `BUILDERS`.

A builder takes the folder of the raw files that `catalogue.yaml` names and gives the uncompressed
content of every file of its set, by path below the data folder. It raises DataError if a raw file
is not what it should be. A set without a builder comes from a mirror only.
"""

from collections.abc import Callable
from pathlib import Path

from training.data.sources import indian_parallel

Builder = Callable[[Path], dict[str, bytes]]

BUILDERS: dict[str, Builder] = {indian_parallel.NAME: indian_parallel.build}
