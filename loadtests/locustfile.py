"""Locust: callers as they are. Short and long text, all tasks, many languages, lists, streams,
one call in a hundred wrong, and clients that hang up.

    make load                                        steady, with limits checked, report in build/
    make load SHAPE=spike                            steady | ramp | spike | soak
    locust -f loadtests/locustfile.py --host URL     by hand, with its web page

Needs nothing of Sluice, so that it runs on other machines. Distributed: `--master` on one and
`--worker --master-host HOST` on the others, or `docker compose --profile load up --scale`.
"""

import json
import os
import random
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

from locust import FastHttpUser, LoadTestShape, between, events, task

SHAPE = os.environ.get("SLUICE_LOAD_SHAPE", "steady")
USERS = int(os.environ.get("SLUICE_LOAD_USERS", "20"))
MINUTES = float(os.environ.get("SLUICE_LOAD_MINUTES", "2"))
CHECK = os.environ.get("SLUICE_LOAD_CHECK", "") not in ("", "0", "false")
API_KEY = os.environ.get("SLUICE_LOAD_API_KEY", "")

SHORT = [
    "Pankaj lives in Munich.",
    "how are you?",
    "There is nothing to like in this movie.",
    "The screen is great, but the battery died after two days.",
    "Marie Curie was born in Warsaw on 7 November 1867.",
    "did you eat?",
    "ok",
    "Please call Anna Lee at Siemens before next Tuesday at 5 pm.",
]
LONG = " ".join(SHORT) * 6
SENTENCES = {
    "en": ["how are you?", "I would like a cup of tea, please.", "The train leaves at noon."],
    "de": ["wie geht es dir?", "Ich möchte bitte eine Tasse Tee.", "Der Zug fährt um zwölf."],
    "fr": ["comment allez-vous ?", "Je voudrais une tasse de thé."],
    "es": ["¿cómo estás?", "El tren sale al mediodía."],
    "hi": ["आप कैसे हैं?", "मुझे चाय चाहिए।"],
}
WRONG: list[tuple[str, bytes, int]] = [
    ("/ner", b"hello", 400),
    ("/ner", b"{}", 422),
    ("/sentiment", b'{"inputs": ""}', 422),
    ("/translate", b'{"inputs": "a", "parameters": {"tgt_lang": "xx"}}', 404),
    ("/ner", json.dumps({"inputs": "a" * 5_001}).encode(), 422),
    ("/nowhere", b"{}", 404),
]
LIMITS_P99_MS = {"/ner": 250.0, "/sentiment": 250.0, "/translate": 2_500.0, "/ner batch": 1_000.0}
"""For --check: the alerts' limits (deploy/prometheus/rules.yml)."""
MAX_FAILURES = 0.001


class Caller(FastHttpUser):
    """One caller, who thinks between calls."""

    wait_time = between(0.05, 0.5)
    directions: list[tuple[str, str]]

    def on_start(self) -> None:
        """Learn what this service translates."""
        if API_KEY:
            self.client.auth_header = f"Bearer {API_KEY}"
        with self.client.get("/models", name="/models", catch_response=True) as answer:
            models = answer.json()["models"] if answer.status_code == 200 else []
        told = [d for model in models for d in model.get("directions", [])]
        self.directions = [
            (d["src_lang"], d["tgt_lang"]) for d in told if d["src_lang"] in SENTENCES
        ]

    @task(40)
    def entities(self) -> None:
        self._ask("/ner", {"inputs": random.choice(SHORT)})

    @task(5)
    def entities_of_a_long_text(self) -> None:
        self._ask("/ner", {"inputs": LONG[: random.randint(500, 2_500)]}, "/ner long")

    @task(5)
    def entities_of_many_texts(self) -> None:
        self._ask("/ner", {"inputs": random.choices(SHORT, k=32)}, "/ner batch")

    @task(30)
    def sentiment(self) -> None:
        self._ask("/sentiment", {"inputs": random.choice(SHORT)})

    @task(15)
    def translation(self) -> None:
        if self.directions:
            source, target = random.choice(self.directions)
            told = {"src_lang": source, "tgt_lang": target}
            body = {"inputs": random.choice(SENTENCES[source]), "parameters": told}
            self._ask("/translate", body)

    @task(3)
    def streamed_translation(self) -> None:
        """Where the service streams: 404 says that this one does not."""
        if not self.directions:
            return
        source, target = random.choice(self.directions)
        told = {"src_lang": source, "tgt_lang": target}
        body = {"inputs": random.choice(SENTENCES[source]), "parameters": told}
        with self.client.post(
            "/translate/stream", json=body, catch_response=True, headers=self._headers()
        ) as answer:
            if answer.status_code in (200, 404, 429):
                answer.success()

    @task(1)
    def mistake(self) -> None:
        path, body, status = random.choice(WRONG)
        with self.client.post(
            path,
            data=body,
            headers={"Content-Type": "application/json", **self._headers()},
            name="mistakes",
            catch_response=True,
        ) as answer:
            if answer.status_code == status:
                answer.success()
            else:
                answer.failure(f"{answer.status_code} where {status} was due")

    @task(1)
    def hang_up(self) -> None:
        """Send a long job and go."""
        target = urlsplit(self.host or "")
        body = json.dumps({"inputs": [LONG] * 8}).encode()
        head = f"POST /ner HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{self._raw()}"
        try:
            with socket.create_connection((target.hostname, target.port or 80), 5) as caller:
                caller.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        except OSError as error:
            events.request.fire(
                request_type="POST", name="hang up", response_time=0, response_length=0,
                exception=error, context={},
            )  # fmt: skip

    def _ask(self, path: str, body: dict[str, Any], name: str | None = None) -> None:
        with self.client.post(
            path, json=body, name=name or path, catch_response=True, headers=self._headers()
        ) as answer:
            # Being told to come again is an answer: the service is full, not broken.
            if answer.status_code in (200, 429):
                answer.success()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {API_KEY}"} if API_KEY else {}

    def _raw(self) -> str:
        return "".join(f"{name}: {value}\r\n" for name, value in self._headers().items())


class Shape(LoadTestShape):
    """Callers over time, as SLUICE_LOAD_SHAPE says."""

    def tick(self) -> tuple[int, float] | None:
        """Callers and how many of them start a second; None at the end."""
        passed = self.get_run_time() / (60 * MINUTES)
        if passed >= 1:
            return None
        return users_at(SHAPE, passed, USERS), max(1.0, USERS / 5)


def users_at(shape: str, passed: float, users: int) -> int:
    """Callers when a share `passed` of the time has passed. ValueError for an unknown shape."""
    if shape in ("steady", "soak"):
        return users
    if shape == "ramp":
        return max(1, round(users * passed))
    if shape == "spike":
        return users * 5 if 0.4 <= passed < 0.6 else users
    raise ValueError(f"SLUICE_LOAD_SHAPE={shape!r}; set it to steady, ramp, spike or soak")


@events.quitting.add_listener
def check(environment: Any, **_: Any) -> None:
    """With SLUICE_LOAD_CHECK: exit 1 where a limit was passed, and say which."""
    if not CHECK:
        return
    faults = []
    total = environment.stats.total
    if total.fail_ratio > MAX_FAILURES:
        faults.append(f"{total.fail_ratio:.2%} of requests failed, the limit is {MAX_FAILURES:.1%}")
    for (name, _), entry in environment.stats.entries.items():
        limit = LIMITS_P99_MS.get(name)
        p99 = entry.get_response_time_percentile(0.99)
        if limit is not None and entry.num_requests and p99 > limit:
            faults.append(f"p99 of {name} is {p99:.0f} ms, the limit is {limit:.0f} ms")
    for fault in faults:
        print(f"load check: {fault}", file=sys.stderr)
    environment.process_exit_code = 1 if faults else 0
