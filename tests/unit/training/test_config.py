"""Experiments: every shipped one loads, every wrong key or value is named in one line."""

from pathlib import Path

import pytest

from training.config import load_experiment
from training.errors import ConfigurationError

CONFIGS = Path(__file__).parents[3] / "training" / "configs"
NER = "task: ner\nname: tiny\nsources: [{name: conll}]\n"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_experiments_are_valid(path: Path) -> None:
    assert load_experiment(path).name == path.stem


@pytest.mark.parametrize(
    "text,fault",
    [
        (NER + "sede: 1\n", "ner.sede: unknown key"),
        (NER + "model: {cell: {kind: transformer}}\n", "kind: .*'rnn', 'gru' or 'lstm'"),
        (NER + "optimizer: {learning_rate: -1}\n", "learning_rate: .*greater than 0"),
        ("task: chess\nname: tiny\n", "chess"),
        ("name: [unclosed\n", "not YAML"),
        ("- a\n- b\n", "file: "),
    ],
)
def test_wrong_configurations_are_named_in_one_line(text: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=fault) as caught:
        load_experiment(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load_experiment(tmp_path / "none.yaml")
