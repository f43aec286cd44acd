"""Print what an image installs, out of pyproject.toml: `requirements.py cpu` (or gpu, bulk ...).

The CUDA image brings CUDA and cuDNN of its own: `gpu` leaves the wheels that bring them again out.
"""

import re
import sys
import tomllib
from pathlib import Path


def requirements(extras: list[str]) -> list[str]:
    """Requirements of the service and of `extras`."""
    path = Path(__file__).parent.parent / "pyproject.toml"
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    named = [line for extra in extras for line in project["optional-dependencies"][extra]]
    return [*project["dependencies"], *(re.sub(r"\[cuda,cudnn\]", "", line) for line in named)]


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1:])))
