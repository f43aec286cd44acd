"""Deployment files hold what they must: checked without an engine, and where tools are, by them."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.http.metrics import exposition
from service.settings import ROOT, Settings

DEPLOY = ROOT / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
RULES = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())
DASHBOARD = json.loads((DEPLOY / "grafana/dashboards/sluice.json").read_text())
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule]
QUERIES = [
    (panel["title"], target["expr"])
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", ())
]


def tool(name: str) -> str:
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed; tests/ops/run.sh installs it")
    return found


def run(*command: str | Path) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def names_of_metrics() -> set[str]:
    """Every metric that a running service can show."""
    import service.app  # noqa: F401  (registers them)

    declared = re.findall(r"^# TYPE (\S+) (\S+)", exposition().decode(), re.MULTILINE)
    names = {name for name, _ in declared}
    for name, kind in declared:
        if kind == "histogram":
            names |= {f"{name}_{part}" for part in ("bucket", "sum", "count")}
    return names | {"sluice_gpu_utilization_ratio", "sluice_gpu_memory_used_bytes"}


def test_dashboard_and_rules_ask_only_for_metrics_that_exist() -> None:
    rules = [rule["expr"] for group in RULES["groups"] for rule in group["rules"]]
    recorded = {rule.get("record") for group in RULES["groups"] for rule in group["rules"]}
    known = names_of_metrics()
    for query in [query for _, query in QUERIES] + rules:
        for name in re.findall(r"[a-z_]*:?sluice_[a-z0-9_:]+", query):
            assert name in known | recorded, f"{name} in {query}"


def test_every_alert_has_its_section_in_the_runbook() -> None:
    sections = re.findall(r"^### (\w+)$", (DEPLOY / "README.md").read_text(), re.MULTILINE)
    for alert in ALERTS:
        anchor = alert["annotations"]["runbook"].removeprefix("deploy/README.md#")
        assert anchor in [section.lower() for section in sections]


def test_every_alert_has_a_case_that_fires_it() -> None:
    cases = yaml.safe_load((PROMETHEUS / "rules_test.yml").read_text())["tests"]
    fired = {
        told["alertname"]
        for case in cases
        for told in case["alert_rule_test"]
        if told["exp_alerts"]
    }
    assert fired == {alert["alert"] for alert in ALERTS}


def test_kubernetes_has_the_same_rules_and_dashboard() -> None:
    kubernetes = DEPLOY / "kubernetes"
    rules = yaml.safe_load((kubernetes / "base/prometheusrule.yaml").read_text())["spec"]
    assert rules == RULES
    copied = kubernetes / "cpu/dashboard/sluice.json"
    assert json.loads(copied.read_text()) == DASHBOARD


def test_rules_hold_in_their_cases() -> None:
    promtool = tool("promtool")
    run(promtool, "check", "rules", PROMETHEUS / "rules.yml")
    run(promtool, "check", "config", PROMETHEUS / "prometheus.yml")
    run(promtool, "test", "rules", PROMETHEUS / "rules_test.yml")


def test_the_balancer_reads_its_configuration() -> None:
    run(tool("haproxy"), "-c", "-f", DEPLOY / "haproxy/haproxy.cfg")


def compose(*files: str) -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((ROOT / files[0]).read_text())
    return told


def test_compose_publishes_on_loopback_and_limits_everything() -> None:
    services = compose("docker-compose.yml")["services"]
    published = {name for name, told in services.items() if "ports" in told}
    assert published == {"balancer", "prometheus", "grafana", "locust"}
    for told in services.values():
        assert all(port.startswith("127.0.0.1:") for port in told.get("ports", ()))
        assert told["restart"] == "unless-stopped"
        assert told["read_only"] is True
        assert told["cap_drop"] == ["ALL"]
        assert {"mem_limit", "cpus"} <= told.keys()
        assert "network_mode" not in told
    assert services["locust"]["profiles"] == ["load"]


@pytest.mark.parametrize("name", ["docker-compose.yml", "docker-compose.gpu.yml"])
def test_compose_files_follow_the_specification(name: str) -> None:
    run(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", name)


@pytest.mark.parametrize("name", ["deploy/Dockerfile", "deploy/Dockerfile.cuda"])
def test_dockerfiles_are_linted(name: str) -> None:
    run(tool("hadolint"), name)


@pytest.mark.parametrize("name", ["deploy/Dockerfile", "deploy/Dockerfile.cuda"])
def test_images_run_as_a_fixed_user_and_ask_for_readiness(name: str) -> None:
    told = (ROOT / name).read_text()
    assert "USER 10001:10001" in told
    assert "/readyz" in told
    assert "tini" in told
    assert "# syntax" not in told


def test_images_install_what_the_project_asks_for_and_no_torch() -> None:
    listed = run(sys.executable, DEPLOY / "requirements.py", "cpu").split()
    project = (ROOT / "pyproject.toml").read_text()
    assert all(f'"{line}"' in project for line in listed)
    assert not any(line.startswith(("torch", "lightning")) for line in listed)
    gpu = run(sys.executable, DEPLOY / "requirements.py", "gpu").split()
    assert [line for line in gpu if line.startswith("onnxruntime")] == ["onnxruntime-gpu==1.31.1"]


@pytest.mark.parametrize("overlay", ["base", "cpu", "gpu"])
def test_kubernetes_manifests_are_rendered_and_restricted(overlay: str) -> None:
    rendered = run(tool("kubectl"), "kustomize", DEPLOY / "kubernetes" / overlay)
    manifests = [told for told in yaml.safe_load_all(rendered) if told]
    [deployment] = [told for told in manifests if told["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
    drain_s = Settings.model_fields["drain_s"].default
    pre_stop_s = int(container["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert pod["terminationGracePeriodSeconds"] > drain_s + pre_stop_s


@pytest.mark.parametrize("overlay", ["base", "cpu", "gpu"])
def test_kubernetes_manifests_follow_the_schema(overlay: str, tmp_path: Path) -> None:
    validate = tool("kubernetes-validate")
    rendered = tmp_path / "rendered.yaml"
    rendered.write_text(run(tool("kubectl"), "kustomize", DEPLOY / "kubernetes" / overlay))
    run(validate, "--strict", "-k", "1.30", rendered)
