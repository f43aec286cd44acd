"""From a tiny corpus to served answers, through the command line that users have."""

import gzip
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.bundle import load_bundle
from service.tasks.detection import DetectionParameters
from service.tasks.errors import UnknownConvention
from service.tasks.ner import NerParameters
from service.tasks.registry import PREDICTORS, open_predictor
from service.tasks.sentiment import SentimentParameters
from service.tasks.translation import TranslationParameters
from service.tasks.transliteration import TransliterationParameters
from tests.e2e.tiny import write_corpora, write_experiment

ROOT = Path(__file__).parents[2]
_MAIN = ("entity_f1", "accuracy", "bleu", "word accuracy")


class Workshop:
    """A data folder with the tiny corpora, and the commands run beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_corpora(folder / "data")

    def command(self, *arguments: object) -> list[str]:
        runs = [] if arguments[0] == "fetch" else ["--runs", str(self.folder / "runs")]
        return [sys.executable, "-m", "training", *map(str, arguments), *runs]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "SLUICE_DATA": str(self.folder / "data"), "PYTHONPATH": str(ROOT)}

    def start(self, *arguments: object) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.command(*arguments),
            env=self.environment(),
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: object) -> "subprocess.CompletedProcess[str]":
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=200)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("workshop"))


@pytest.fixture(scope="module", params=sorted(PREDICTORS))
def bundle(request: pytest.FixtureRequest, workshop: Workshop) -> Path:
    """A bundle of the tiny model of one task: trained and exported."""
    experiment = write_experiment(request.param, workshop.folder)
    trained = workshop.run("train", experiment)
    assert trained.returncode == 0, trained.stderr
    assert float(trained.stdout.split("dev score ")[1].split(",")[0]) >= 99
    exported = workshop.run("export", experiment, "--bundles", workshop.folder / "bundles")
    assert exported.returncode == 0, exported.stderr
    return workshop.folder / "bundles" / str(request.param) / "1.0.0"


def test_a_tiny_corpus_is_learnt_exported_and_answered(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    assert loaded.manifest.parity.max_abs_error < 1e-4
    assert loaded.manifest.parity.same_answers
    scores = [score for score in loaded.manifest.scores if score.precision == "fp32"]
    main = {score.metric: score.value for score in scores if score.metric in _MAIN}
    assert main
    assert min(main.values()) >= 99, main
    predictor = open_predictor(loaded, "cpu", "fp32")
    if loaded.manifest.task == "ner":
        text = "Dev Patel visited old New Delhi last week ."
        entities = predictor.predict([text], NerParameters())[0]
        found = [(entity.entity_group, entity.word) for entity in entities]
        assert found == [("PER", "Dev Patel"), ("LOC", "New Delhi"), ("TIME", "last week")]
    elif loaded.manifest.task == "sentiment":
        texts = ["the film was not bad", "the film was not good"]
        answers = predictor.predict(texts, SentimentParameters())
        assert [answer[0].label for answer in answers] == ["positive", "negative"]
    elif loaded.manifest.task == "detection":
        texts = ["der zug kommt", "the red house", "mera ghar bada hai"]
        answers = predictor.predict(texts, DetectionParameters())
        assert [answer[0].label for answer in answers] == ["de", "en", "hi-Latn"]
    elif loaded.manifest.task == "transliteration":
        [[answer]] = predictor.predict(["Mera ghar."], TransliterationParameters())
        assert answer.transliteration_text == "मेरा घर\u0964"
    else:
        answers = predictor.predict(["i see the dog ."], TranslationParameters(tgt_lang="de"))
        assert "hund" in answers[0][0].translation_text


def test_a_tagger_starts_from_a_language_model_and_tells_conventions_apart(
    workshop: Workshop,
) -> None:
    for name in ("uner_ewt", "redocred"):
        (workshop.folder / f"data/ner/{name}").symlink_to(workshop.folder / "data/ner/conll")
    start = write_experiment("word_language_model", workshop.folder, name="start")
    started = workshop.run("train", start)
    assert started.returncode == 0, started.stderr
    assert_refused(workshop.run("export", start), "not served itself")
    experiment = write_experiment(
        "ner",
        workshop.folder,
        name="several",
        version="2.0.0",
        pretrained="start",
        sources=[{"name": "redocred"}, {"name": "uner_ewt"}],
        test_sets=["redocred", "uner_ewt"],
    )
    trained = workshop.run("train", experiment)
    assert trained.returncode == 0, trained.stderr
    exported = workshop.run("export", experiment, "--bundles", workshop.folder / "several")
    assert exported.returncode == 0, exported.stderr
    predictor = open_predictor(load_bundle(workshop.folder / "several/ner/2.0.0"), "cpu", "fp32")
    text = "Dev Patel visited old New Delhi last week ."
    for convention in ("general", "redocred"):
        (entities,) = predictor.predict([text], NerParameters(convention=convention))
        assert [entity.entity_group for entity in entities] == ["PER", "LOC", "TIME"]
    with pytest.raises(UnknownConvention, match="'gmb' is not known; choose one of general"):
        predictor.predict([text], NerParameters(convention="gmb"))


def test_export_does_not_overwrite_a_bundle(bundle: Path, workshop: Workshop) -> None:
    experiment = workshop.folder / f"tiny-{bundle.parent.name}.yaml"
    again = workshop.run("export", experiment, "--bundles", workshop.folder / "bundles")
    assert again.returncode == 2
    assert "exists already" in again.stderr
    assert load_bundle(bundle)


def test_evaluation_and_report_speak_of_the_bundle(bundle: Path, workshop: Workshop) -> None:
    experiment = workshop.folder / f"tiny-{bundle.parent.name}.yaml"
    bundles = workshop.folder / "bundles"
    scored = workshop.run("evaluate", experiment, "--split", "test", "--bundles", bundles)
    assert " test " in scored.stdout
    report = workshop.run("report", "--bundles", bundles, "--output", workshop.folder / "report")
    assert report.returncode == 0, report.stderr
    task = bundle.parent.name
    assert f'href="{task}.html"' in (workshop.folder / "report" / "index.html").read_text()
    page = (workshop.folder / "report" / f"{task}.html").read_text()
    assert f"<h1>tiny-{task} 1.0.0</h1>" in page
    for part in ("Training loss", "Development scores", "Scores", "Exports", "Training data"):
        assert f"<h2>{part}</h2>" in page


def test_a_killed_training_goes_on_without_losing_an_epoch(workshop: Workshop) -> None:
    trainer = {"max_epochs": 400, "patience": 400, "batch_tokens": 200, "accelerator": "cpu"}
    experiment = write_experiment("sentiment", workshop.folder, name="killed", trainer=trainer)
    last = workshop.folder / "runs" / "killed" / "last.ckpt"
    process = workshop.start("train", experiment)
    while not last.exists() and process.poll() is None:
        time.sleep(0.1)
    time.sleep(5)
    process.send_signal(signal.SIGKILL)
    shown = max(int(epoch) for epoch in re.findall(r"Epoch (\d+):", process.communicate()[0]))
    finished = _epoch(last)
    assert finished >= shown - 1 > 0
    trainer["max_epochs"] = finished + 3
    experiment = write_experiment("sentiment", workshop.folder, name="killed", trainer=trainer)
    resumed = workshop.run("train", experiment)
    assert resumed.returncode == 0, resumed.stderr
    assert _epoch(last) == finished + 2
    assert f"Epoch {finished + 1}:" in resumed.stdout + resumed.stderr
    assert "Epoch 0:" not in resumed.stdout + resumed.stderr


def _epoch(checkpoint: Path) -> int:
    import torch

    return int(torch.load(checkpoint, map_location="cpu", weights_only=False)["epoch"])


def test_a_missing_data_file_ends_with_one_line(workshop: Workshop, tmp_path: Path) -> None:
    experiment = write_experiment("ner", tmp_path, name="other", sources=[{"name": "gmb"}])
    assert_refused(workshop.run("train", experiment), "ner/gmb/train.conll.gz: missing")


def test_a_damaged_data_file_ends_with_one_line(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    path = tmp_path / "data/sentiment/mr/train.tsv.gz"
    path.write_bytes(path.read_bytes()[:-9])
    experiment = write_experiment("sentiment", tmp_path)
    assert_refused(workshop.run("train", experiment), "mr/train.tsv.gz: damaged")


def test_an_unknown_key_ends_with_one_line(workshop: Workshop, tmp_path: Path) -> None:
    experiment = write_experiment("ner", tmp_path, sede=3)
    assert_refused(workshop.run("train", experiment), "sede: unknown key")


def test_an_unwritable_run_folder_ends_with_one_line(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    (tmp_path / "runs").write_text("a file where the folder should be")
    assert_refused(workshop.run("train", write_experiment("ner", tmp_path)), "cannot be written")


def test_a_text_that_is_no_data_ends_with_one_line(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    with gzip.open(tmp_path / "data/ner/conll/train.conll.gz", "wt") as file:
        file.write("no tag here\n")
    refused = workshop.run("train", write_experiment("ner", tmp_path))
    assert_refused(refused, "line 1 has no tag")


def assert_refused(done: "subprocess.CompletedProcess[str]", reason: str) -> None:
    assert done.returncode == 2, done.stderr
    assert reason in done.stderr
    assert done.stderr.strip().count("\n") == 0
