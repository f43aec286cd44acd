"""The load tests themselves: shapes, limits, and what wrk tells."""

import ast
import re
from pathlib import Path

import pytest

from loadtests.capacity import parse
from service.settings import ROOT

WRK = """Running 10s test @ http://127.0.0.1:3000/ner
  Latency Distribution
     50%    4.11ms
     99%    1.25s
  12345 requests in 10.00s, 3.21MB read
  Socket errors: connect 0, read 1, write 0, timeout 2
  Non-2xx or 3xx responses: 7
Requests/sec:   1234.50
Transfer/sec:    321.00KB
"""


def test_wrk_is_read_with_its_units_and_errors() -> None:
    run = parse(WRK, 8)
    assert (run.connections, run.rate, run.p99_ms, run.errors) == (8, 1234.5, 1250.0, 10)
    assert not run.within(2_000)
    clean = parse(re.sub(r".*(errors|Non-2xx).*\n", "", WRK).replace("1.25s", "900us"), 8)
    assert clean.within(1.0)


def test_wrk_that_tells_nothing_ends_the_search() -> None:
    with pytest.raises(SystemExit, match="no rate"):
        parse("unable to connect", 1)


def users_at(shape: str, passed: float) -> int:
    """The function out of the locustfile, which needs Locust to be imported as a whole."""
    tree = ast.parse((ROOT / "loadtests/locustfile.py").read_text())
    [function] = [part for part in tree.body if getattr(part, "name", "") == "users_at"]
    space: dict[str, object] = {}
    exec(compile(ast.Module([function], []), "locustfile.py", "exec"), space)
    found = space["users_at"](shape, passed, 20)  # type: ignore[operator]
    return int(found)


def test_shapes_are_what_their_names_say() -> None:
    assert {users_at("steady", x / 10) for x in range(10)} == {20}
    assert [users_at("ramp", x) for x in (0.0, 0.5, 1.0)] == [1, 10, 20]
    assert [users_at("spike", x) for x in (0.1, 0.5, 0.9)] == [20, 100, 20]
    with pytest.raises(ValueError, match="steady, ramp, spike or soak"):
        users_at("wave", 0.5)


def test_load_limits_are_those_of_the_alerts() -> None:
    rules = (ROOT / "deploy/prometheus/rules.yml").read_text()
    locustfile = Path(ROOT / "loadtests/locustfile.py").read_text()
    for task, seconds in re.findall(r'p99_5m\{task=~?"(\w+)[^}]*\} > ([\d.]+)', rules):
        path = {"ner": "/ner", "translation": "/translate"}[task]
        assert f'"{path}": {float(seconds) * 1000:_.1f}' in locustfile
