"""The README's table of models, made from the manifests of the shipped bundles."""

from pathlib import Path

from service.bundle import Bundle, find_bundles, load_bundle

_KINDS = {
    "ner": "BiLSTM-CRF over words and characters",
    "sentiment": "bidirectional LSTM over sub-words",
    "translation": "LSTM encoder-decoder with attention, one model for all pairs",
    "detection": "recurrent over characters",
    "transliteration": "encoder-decoder over characters",
}
_METRICS = {"entity_f1": "F1", "accuracy": "accuracy", "bleu": "BLEU"}
_START, _END = "<!-- models -->\n", "<!-- end of models -->\n"
_HEAD = "| model | what it is | test scores | trained on (licence) | size |\n"


def model_table(folder: Path) -> str:
    """A row for each task; scores are those of the precision that the CPU serves, the size
    is that of the whole bundle."""
    rows = [_row(load_bundle(path)) for path in find_bundles(folder).values()]
    return "".join([_HEAD, "| --- | --- | --- | --- | --- |\n", *rows])


def write_table(document: Path, folder: Path) -> None:
    """Put the table between its marks in a document."""
    head, _, rest = document.read_text(encoding="utf-8").partition(_START)
    tail = rest.partition(_END)[2]
    text = f"{head}{_START}{model_table(folder)}{_END}{tail}"
    document.write_text(text, encoding="utf-8")


def _row(bundle: Bundle) -> str:
    manifest = bundle.manifest
    precision = manifest.precision.cpu
    found = [score for score in manifest.scores if score.precision == precision]
    scores = [
        f"{score.dataset} {_METRICS[score.metric]} {score.value:.1f}"
        for score in found
        if score.metric in _METRICS
    ] or [f"{score.dataset} {score.metric} {score.value:.1f}" for score in found]
    size = sum(bundle.file(name).stat().st_size for name in manifest.files) / 1e6
    data = ", ".join(f"{one.name} ({one.licence})" for one in manifest.data)
    kind = f"{_KINDS.get(manifest.task, manifest.task)}; {precision} on the CPU"
    cells = (f"{manifest.name} {manifest.version}", kind, ", ".join(scores), data)
    return f"| {' | '.join(cells)} | {size:.0f} MB |\n"
