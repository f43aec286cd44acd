"""`sluice`: the tasks on the command line, of a running service or, with --local, in this process.

sluice ner "Pankaj lives in Munich"
cat reviews.txt | sluice sentiment --json
sluice translate --to de --file letter.txt
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

_AT_ONCE = 32
_TIMEOUT_S = 120
_GREEN, _RED, _BLUE, _DIM = "32", "31", "34", "2"
_HUES = {"PER": "34", "ORG": "32", "LOC": "33", "TIME": "35"}

Answerer = Callable[[list[str]], list[Any]]


class CommandFailed(Exception):
    """The command cannot go on; the message says why, and what helps."""


class Task(NamedTuple):
    """A task as the command line knows it: where it is served, and how an answer is shown."""

    name: str
    path: str
    show: Callable[[str, Any, "Paint"], str]
    help: str


class Paint:
    """Colour, where somebody looks."""

    def __init__(self, *, on: bool) -> None:
        self.on = on

    def __call__(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on else text


def _show_entities(text: str, answer: Any, paint: Paint) -> str:
    """The text with its entities in brackets, and their types behind them."""
    parts, end = [], 0
    for found in answer:
        parts.append(text[end : found["start"]])
        group = found["entity_group"]
        parts.append(
            paint(_HUES.get(group, _BLUE), f"[{found['word']}]") + paint(_DIM, f"({group})")
        )
        end = found["end"]
    return "".join([*parts, text[end:]])


def _show_label(text: str, answer: Any, paint: Paint) -> str:
    """The likeliest label, its probability, and the text."""
    best = answer[0]
    hue = {"positive": _GREEN, "negative": _RED}.get(best["label"], _BLUE)
    return f"{paint(hue, best['label'])}\t{100 * best['score']:.1f} %\t{text}"


def _show_translation(text: str, answer: Any, paint: Paint) -> str:
    return str(answer[0]["translation_text"])


def _show_transliteration(text: str, answer: Any, paint: Paint) -> str:
    return str(answer["transliteration_text"])


TASKS = {
    "ner": Task("ner", "/ner", _show_entities, "people, organizations, places and times"),
    "sentiment": Task("sentiment", "/sentiment", _show_label, "positive or negative"),
    "translate": Task("translation", "/translate", _show_translation, "to another language"),
    "detect": Task("detection", "/detect", _show_label, "which language it is"),
    "transliterate": Task(
        "transliteration", "/transliterate", _show_transliteration, "romanised Hindi in Devanagari"
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command: 0 if every text was answered, 1 if one was not, 2 for a wrong command."""
    asked = _parser().parse_args(arguments)
    try:
        _run(TASKS[asked.command], asked)
    except CommandFailed as error:
        print(f"sluice: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # `| head` has read enough; Python would complain once more when it closes its output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _run(task: Task, asked: argparse.Namespace) -> None:
    paint = Paint(on=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    parameters = _parameters(asked)
    answerer = _local(task, parameters) if asked.local else _remote(task, parameters, asked)
    texts = _texts(asked)
    while chunk := list(islice(texts, _AT_ONCE)):
        for text, answer in zip(chunk, _answers(answerer, chunk), strict=True):
            if asked.json:
                print(json.dumps(answer, ensure_ascii=False))
            else:
                print(task.show(text, answer, paint) if answer is not None else text)
        sys.stdout.flush()


def _answers(answerer: Answerer, texts: Sequence[str]) -> list[Any]:
    """An answer for each text; None for a blank line, which keeps its place."""
    asked = [text for text in texts if text.strip()]
    answers = iter(answerer(asked) if asked else [])
    return [next(answers) if text.strip() else None for text in texts]


def _texts(asked: argparse.Namespace) -> Iterator[str]:
    """The texts of the command line; else the lines of files; else those of standard input."""
    if asked.text:
        yield from asked.text
        return
    for name in asked.file or ["-"]:
        try:
            yield from _lines(name)
        except OSError as error:
            raise CommandFailed(
                f"cannot read {name!r} ({error.strerror}); name a text file, or - for the input"
            ) from None
        except UnicodeDecodeError as error:
            raise CommandFailed(
                f"{name!r} is not UTF-8 text (byte {error.start}); save it as UTF-8"
            ) from None


def _lines(name: str) -> Iterator[str]:
    if name == "-":
        yield from _stripped(sys.stdin)
        return
    with open(name, encoding="utf-8") as file:
        yield from _stripped(file)


def _stripped(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line.rstrip("\r\n")


def _parameters(asked: argparse.Namespace) -> dict[str, Any]:
    if asked.command != "translate":
        return {}
    told = {"tgt_lang": asked.to, "src_lang": asked.source, "num_beams": asked.beams}
    return {name: value for name, value in told.items() if value is not None}


def _local(task: Task, parameters: dict[str, Any]) -> Answerer:
    # Only here: a call to a service need not wait for ONNX Runtime to load.
    from service.local import LocalTask, Refusals

    def answer(texts: list[str]) -> list[Any]:
        try:
            return local.answer(texts, parameters)
        except Refusals as error:
            raise CommandFailed(error) from None

    try:
        local = LocalTask.open(task.name)
    except Refusals as error:
        raise CommandFailed(error) from None
    return answer


def _remote(task: Task, parameters: dict[str, Any], asked: argparse.Namespace) -> Answerer:
    if not asked.url.startswith(("http://", "https://")):
        raise CommandFailed(f"the url {asked.url!r} has no scheme; write http://{asked.url}")
    headers = {"Content-Type": "application/json"}
    if asked.key:
        headers["Authorization"] = f"Bearer {asked.key}"

    def answer(texts: list[str]) -> list[Any]:
        body = json.dumps({"inputs": texts, "parameters": parameters}).encode()
        request = urllib.request.Request(asked.url.rstrip("/") + task.path, body, headers)
        answers: list[Any] = json.loads(_call(request, asked.url))
        return answers

    return answer


def _call(request: urllib.request.Request, url: str) -> bytes:
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
            body: bytes = response.read()
            return body
    except urllib.error.HTTPError as refused:
        raise CommandFailed(_refusal(refused, url)) from None
    except (urllib.error.URLError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise CommandFailed(
            f"no service at {url} ({reason}); start one with `make serve`, or add --local"
        ) from None


def _refusal(refused: urllib.error.HTTPError, url: str) -> str:
    """What the service said; another server at that address says nothing that we can read."""
    try:
        return str(json.loads(refused.read())["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{url} answers with status {refused.code}, not as Sluice does; check the address"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sluice", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, task in TASKS.items():
        command = commands.add_parser(name, help=task.help)
        command.add_argument("text", nargs="*", help="texts; without any, lines are read")
        command.add_argument("-f", "--file", action="append", help="a text a line; - is the input")
        command.add_argument("--json", action="store_true", help="an answer a line, as JSON")
        command.add_argument("--local", action="store_true", help="without a service")
        command.add_argument("--url", default=os.environ.get("SLUICE", "http://localhost:3000"))
        command.add_argument("--key", help="API key, where the service asks for one")
        if name == "translate":
            command.add_argument("--to", required=True, help="language code: de")
            command.add_argument("--from", dest="source", help="found from the text if left out")
            command.add_argument("--beams", type=int, help="1 to 8")
    return parser


if __name__ == "__main__":
    sys.exit(main())
