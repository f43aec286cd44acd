"""The model card of a bundle, written from its manifest."""

from service.bundle import Manifest
from training.tasks.base import Description


def model_card(manifest: Manifest, described: Description) -> str:
    """Markdown: use, limits, data with licences, scores, how it was made."""
    parts = [
        f"# {manifest.name} {manifest.version}",
        described.use,
        _serves(manifest),
        "## Known failures",
        described.failures,
        "## Scores",
        _table(
            ("data set", "split", "metric", "value", "rows", "precision"), _score_rows(manifest)
        ),
        f"On the CPU {manifest.precision.cpu} serves by default: {manifest.precision.reason}.",
        "## Training data",
        _table(("data set", "licence", "attribution"), _data_rows(manifest)),
        "No text of these sets is in the bundle; its vocabulary lists words or pieces.",
        "## How it was made",
        f"`python -m training train training/configs/{manifest.name}.yaml`, commit "
        f"`{manifest.git_commit[:12]}`, exported {manifest.created:%Y-%m-%d}. "
        f"Torch and ONNX differ by at most {manifest.parity.max_abs_error:.1e} on "
        f"{manifest.parity.rows} real sentences, with the same answers.",
        str(manifest.training.get("history", "")),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _serves(manifest: Manifest) -> str:
    if manifest.languages:
        return "Directions: " + ", ".join(f"{a}→{b}" for a, b in manifest.languages) + "."
    return "Labels: " + ", ".join(manifest.labels) + "."


def _score_rows(manifest: Manifest) -> list[tuple[str, ...]]:
    return [
        (s.dataset, s.split, s.metric, f"{s.value:.1f}", str(s.rows), s.precision)
        for s in manifest.scores
    ]


def _data_rows(manifest: Manifest) -> list[tuple[str, ...]]:
    return [(found.name, found.licence, found.attribution) for found in manifest.data]


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
