"""Results as tables and drawings: `python -m loadtests.report` makes them from results.json."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from loadtests.comparison import CONNECTIONS, Comparison, Measured
from loadtests.drawings import draw
from loadtests.growth import Growth, Point
from loadtests.overload import Overload
from loadtests.results import Ratio, Results, ratios
from loadtests.texts import ROOT
from loadtests.translation import TranslationResult
from loadtests.tune import Tuning, read_tuning

RESULTS = ROOT / "loadtests" / "results"


def write_report(results: Results, folder: Path) -> None:
    """RESULTS.md and the drawings."""
    draw(results, folder)
    (folder / "RESULTS.md").write_text(_page(results, read_tuning()))


def _page(results: Results, tuning: Tuning | None) -> str:
    parts = [
        "# Benchmark results",
        _machine(results),
        "## Ratios\n\n" + _ratios(ratios(results)),
        "## Peers\n\n" + _peers(results.comparison) + "\n\n" + _ceiling(results),
        "![requests a second](throughput.svg)\n\n![waits](latency.svg)",
        "## How cost grows\n\n" + _growth(results.growth) + "\n\n![growth](growth.svg)",
        "## Translation\n\n" + _translation(results.translation),
        "## Overload\n\n" + _overload(results.overload),
    ]
    if tuning:
        parts.append("## Settings tried\n\n" + _tuning(tuning))
    return "\n\n".join(parts) + "\n"


def _machine(results: Results) -> str:
    machine = results.machine
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    bundles = ", ".join(f"{task} {version}" for task, version in machine.bundles.items())
    return (
        f"{machine.time}, commit {machine.commit}: {machine.cores} cores of {machine.processor}, "
        f"{machine.memory_gib} GiB, kernel {machine.kernel}, Python {machine.python}, {versions}; "
        f"bundles {bundles}; {results.texts}. "
        f"`{results.command}` took {results.minutes:.1f} minutes. {results.note}"
    ).rstrip()


def _ratios(found: Iterable[Ratio]) -> str:
    rows = [
        (
            f"{ratio.name}" + (f" ({ratio.note})" if ratio.note else ""),
            f"{ratio.asked:g} {ratio.unit} {ratio.bound}".replace("  ", " "),
            _measured(ratio),
            "yes" if ratio.reached else "no" if ratio.measured is not None else "-",
        )
        for ratio in found
    ]
    return _table(("ratio", "asked", "measured", "reached"), rows)


def _measured(ratio: Ratio) -> str:
    if ratio.measured is None:
        return "not measured"
    return f"{ratio.measured:.1f} {ratio.unit}" if ratio.unit else f"{ratio.measured:.2f}"


def _peers(found: Comparison) -> str:
    """Requests a second and p99 at each number of connections; CPU at the highest."""
    header = ("server", *(f"{n} conn.: req/s, p50, p99 ms" for n in CONNECTIONS))
    more = ("open loop: p50, p99 ms", "CPU ms a request", "settings")
    runs = [found.ours, found.mounted, *found.peers, found.ours_again]
    return _table((*header, *more), [_peer(run) for run in runs])


def _peer(run: Measured) -> Sequence[str]:
    if run.failure:
        return (run.name, *["-"] * len(CONNECTIONS), "-", "-", run.failure)
    loads = [
        f"{load.per_second:.0f}, {load.p50_ms:.1f}, {load.p99_ms:.1f}"
        + (f" ({load.refused + load.failed} failed)" if load.refused + load.failed else "")
        for load in run.loads
    ]
    opened = f"{run.open.p50_ms:.1f}, {run.open.p99_ms:.1f}" if run.open else "-"
    if run.open and run.open.refused + run.open.lost:
        opened += f" ({run.open.refused} refused, {run.open.lost} lost)"
    return (run.name, *loads, opened, f"{run.loads[-1].cpu_ms:.2f}", _settings(run.settings))


def _settings(settings: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items()) or "defaults"


def _ceiling(results: Results) -> str:
    both = (results.ceiling_before, results.ceiling_after)
    rates = " and ".join(f"{ceiling.rows_per_second:.0f}" for ceiling in both)
    alone = " and ".join(f"{ceiling.one_row_p50_ms:.2f}" for ceiling in both)
    budgets = " and ".join(str(ceiling.budget) for ceiling in both)
    offered = results.comparison.ours.open.offered if results.comparison.ours.open else 0
    return (
        f"Open loop: {offered:.0f} requests a second, half of our capacity. In-process ceiling "
        f"before and after: {rates} rows/s (token budget {budgets}); one row alone {alone} ms."
    )


def _growth(found: Growth) -> str:
    titles = {
        "characters of a text (1 connection)": found.characters,
        "connections": found.connections,
        "workers (128 connections, one thread each)": found.workers,
        "texts of a call (4 connections)": found.inputs,
    }
    return "\n\n".join(_curve(title, points) for title, points in titles.items())


def _curve(title: str, points: Iterable[Point]) -> str:
    rows = [
        (
            str(point.size),
            f"{point.load.per_second:.0f}",
            f"{point.load.p50_ms:.2f}",
            f"{point.load.p99_ms:.2f}",
            f"{point.load.cpu_ms:.2f}",
        )
        for point in points
    ]
    return _table((title, "req/s", "p50 ms", "p99 ms", "CPU ms a request"), rows)


def _translation(found: TranslationResult) -> str:
    runs = {
        **{f"{mode}, saturated": run for mode, run in found.saturated.items()},
        **{f"{mode}, {found.loaded_rate:.1f} req/s": run for mode, run in found.loaded.items()},
    }
    rows = [
        (name, f"{run.per_second:.1f}", f"{run.p50_ms:.0f}", f"{run.p99_ms:.0f}")
        for name, run in runs.items()
    ]
    http = found.http
    rows.append(
        ("HTTP, saturated", f"{http.per_second:.1f}", f"{http.p50_ms:.0f}", f"{http.p99_ms:.0f}")
    )
    return _table(("one runner, one thread", "req/s", "p50 ms", "p99 ms"), rows)


def _overload(found: Overload) -> str:
    rows = [
        (
            f"{run.offered:.0f}",
            f"{run.goodput:.0f}",
            f"{run.p50_ms:.0f}, {run.p99_ms:.0f}",
            str(run.refused),
            f"{run.refusal_p50_ms:.1f}, {run.refusal_p99_ms:.1f}",
            str(run.lost),
            f"{run.generator_cpu:.2f}",
        )
        for run in [*found.below, found.twice, found.five_times]
    ]
    header = (
        "offered a second",
        "good answers a second",
        "p50, p99 ms",
        "refused",
        "time to a refusal: p50, p99 ms",
        "lost",
        "cores of the generator",
    )
    return _table(header, rows)


def _tuning(tuning: Tuning) -> str:
    rows = [
        (
            trial.peer,
            _settings(trial.settings),
            ", ".join(f"{rate:.0f}" for rate in trial.per_second) or trial.failure,
        )
        for trial in tuning.trials
    ]
    head = f"`python -m {tuning.command}` at {tuning.machine.time}.\n\n"
    return head + _table(("peer", "settings", "req/s, 128 connections, each round"), rows)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    results = msgspec.json.decode((RESULTS / "results.json").read_bytes(), type=Results)
    write_report(results, RESULTS)


if __name__ == "__main__":
    main()
