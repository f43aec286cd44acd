"""Command line of training: fetch, train, evaluate, export, baseline, report; quality and names.

Exit status 0 if all went well, 2 with one line if the user can mend what went wrong.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from training.errors import TrainingError

_EPILOG = """\
a model from nothing to served:
  python -m training fetch                                 # or: export SLUICE_DATA=/my/data
  python -m training train training/configs/ner.yaml       # stop and start again at will
  python -m training export training/configs/ner.yaml      # parity, int8, scores, bundle
  make serve

curves: tensorboard --logdir runs
"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    warnings.filterwarnings("ignore", module="lightning|torch|onnxruntime")
    try:
        options.run(options)
    except TrainingError as error:
        print(f"python -m training {options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from the last finished epoch", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train recurrent models and export them as bundles that the service serves.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_fetch(commands)
    for name, run, text in (
        ("train", _train, "train an experiment; goes on where it was stopped"),
        ("evaluate", _evaluate, "score an exported bundle through the service's own code"),
        ("export", _export, "write the best checkpoint as a verified bundle"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("experiment", type=Path, help="a YAML file, see training/configs/")
        command.add_argument("--runs", type=Path, default=Path("runs"), help="default: %(default)s")
        command.set_defaults(run=run)
        if name != "train":
            command.add_argument(
                "--bundles", type=Path, default=Path("exported_models"), help="default: %(default)s"
            )
        if name == "evaluate":
            command.add_argument("--split", choices=("dev", "test"), default="dev")
            command.add_argument("--precision", choices=("fp32", "int8"), default="fp32")
    for name, run, text in (
        ("quality", _quality, "calibrate a translation bundle on dev, report how well on test"),
        ("names", _names, "share of unseen names that a translation bundle copies"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("experiment", type=Path, help="a YAML file, see training/configs/")
        command.add_argument(
            "--bundles", type=Path, default=Path("exported_models"), help="default: %(default)s"
        )
        command.add_argument("--rows", type=int, default=500, help="a direction, of each split")
        command.add_argument("--names", type=int, default=200, help="how many of the names")
        command.set_defaults(run=run)
    _add_baseline(commands)
    report = commands.add_parser("report", help="one HTML page a bundle: curves, scores, errors")
    report.add_argument("--bundles", type=Path, default=Path("exported_models"))
    report.add_argument("--runs", type=Path, default=Path("runs"))
    report.add_argument("--output", type=Path, default=Path("reports"), help="default: %(default)s")
    report.set_defaults(run=_report)
    return parser


def _add_baseline(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "train a bag of words on a sentiment experiment's data, and print its test scores"
    baseline = commands.add_parser("baseline", help=text, description=text)
    baseline.add_argument("experiment", type=Path, help="a YAML file, see training/configs/")
    baseline.add_argument("--runs", type=Path, default=Path("runs"), help="default: %(default)s")
    baseline.set_defaults(run=_baseline)


def _add_fetch(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "download the data sets from their public sources, with checksums; goes on if stopped"
    fetch = commands.add_parser("fetch", help=text, description=text)
    fetch.add_argument("sets", nargs="*", help="such as ner/gmb; all if none is named")
    fetch.add_argument(
        "--to", type=Path, default=Path(os.environ.get("SLUICE_DATA", "data")), help="%(default)s"
    )
    fetch.add_argument(
        "--mirror",
        default=os.environ.get("SLUICE_DATA_MIRROR"),
        help="address of a folder laid out like ours, for sets that cannot be rebuilt",
    )
    fetch.set_defaults(run=_fetch)


def _fetch(options: argparse.Namespace) -> None:
    from training.fetch import fetch

    fetch(options.sets, options.to, mirror=options.mirror)


def _train(options: argparse.Namespace) -> None:
    from training.config import load_experiment
    from training.loop import train
    from training.tasks import open_trainable

    experiment = load_experiment(options.experiment)
    score = train(open_trainable(experiment, options.runs / experiment.name))
    print(f"best dev score {score:.2f}, in {options.runs / experiment.name}")


def _evaluate(options: argparse.Namespace) -> None:
    from service.bundle import BundleError, load_bundle
    from service.tasks.registry import open_predictor
    from training.config import load_experiment
    from training.errors import DataError
    from training.tasks import open_task

    experiment = load_experiment(options.experiment)
    task = open_task(experiment, options.runs / experiment.name)
    try:
        bundle = load_bundle(options.bundles / experiment.task / experiment.version)
    except BundleError as error:
        raise DataError(str(error)) from error
    predictor = open_predictor(bundle, "cpu", options.precision)
    for found in task.evaluate(predictor, options.split):
        figure = f"{found.metric:10} {found.value:6.2f}  {found.rows} rows"
        print(f"{found.dataset:24} {options.split:5} {figure}")


def _export(options: argparse.Namespace) -> None:
    from training.config import load_experiment
    from training.export import export
    from training.tasks import open_task

    experiment = load_experiment(options.experiment)
    task = open_task(experiment, options.runs / experiment.name)
    bundle = export(task, experiment, options.bundles)
    print((bundle.path / "MODEL_CARD.md").read_text(encoding="utf-8"))


def _quality(options: argparse.Namespace) -> None:
    from training.quality import calibrate

    for line in calibrate(options.experiment, options.bundles, options.rows):
        print(line)


def _names(options: argparse.Namespace) -> None:
    from training.names import report_names

    for line in report_names(options.experiment, options.bundles, options.names):
        print(line)


def _baseline(options: argparse.Namespace) -> None:
    from training.baseline import train_baseline
    from training.config import SentimentExperiment, load_experiment
    from training.errors import ConfigurationError

    experiment = load_experiment(options.experiment)
    if not isinstance(experiment, SentimentExperiment):
        raise ConfigurationError(
            f"{options.experiment}: task {experiment.task!r} has no baseline; name a sentiment one"
        )
    for name, accuracy in train_baseline(experiment, options.runs / experiment.name).items():
        print(f"{name:24} test  accuracy {accuracy:6.2f}")


def _report(options: argparse.Namespace) -> None:
    from training.report import write_report

    print(write_report(options.bundles, options.runs, options.output))


if __name__ == "__main__":
    sys.exit(main())
