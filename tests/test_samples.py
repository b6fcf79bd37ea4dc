"""What samples/deploy promises, as far as it can be tried without its platforms."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import zipapp
from pathlib import Path
from typing import Any

import pytest
import yaml

from ipt_explain.cli.main import COMMANDS, commands
from tests.cli.program import ROOT, SAMPLES, run

DEPLOY = SAMPLES / "deploy"
DAMAGED = SAMPLES / "damaged-node.txt"


def document(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package alone as a zip that Python runs; what it depends on is taken from this interpreter."""
    folder = tmp_path_factory.mktemp("zipapp")
    ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.tables")
    shutil.copytree(ROOT / "ipt_explain", folder / "app" / "ipt_explain", ignore=ignored)
    shutil.copytree(ROOT / "grammar", folder / "app" / "ipt_explain" / "grammar", ignore=ignored)
    target = folder / "ipt-explain.pyz"
    zipapp.create_archive(folder / "app", target, main="ipt_explain.__main__:main", compressed=True)
    return target


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["explain", DAMAGED], 0, "kube-system/kube-dns:dns"),
        (["audit", DAMAGED], 1, "IPT202"),
        (["trace", "--from", "10.244.1.5", "--to", "10.96.0.10:53", DAMAGED], 0, "10.244.1.2:53"),
        (["show", "--rule", "-A X -m time --timestart 01:00 -j ACCEPT"], 0, "it is accepted"),  # loads Lark
        (["report", DAMAGED], 0, "<!DOCTYPE html>"),
        (["graph", DAMAGED], 0, "digraph"),
        (["schema", "audit"], 0, "$defs"),
        (["help", "fates"], 0, "Fates"),
        (["rules", "IPT202"], 0, "What it checks"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_it_runs_from_a_zip(archive: Path, arguments: list[Any], status: int, said: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(archive), *map(str, arguments)], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (status, "")
    assert said in done.stdout


def test_the_zipapp_recipe_names_the_program_s_entry() -> None:
    text = (DEPLOY / "zipapp.sh").read_text(encoding="utf-8")
    assert "--main ipt_explain.__main__:main" in text
    subprocess.run(["sh", "-n", str(DEPLOY / "zipapp.sh")], check=True)


@pytest.mark.parametrize("name", sorted(path.name for path in DEPLOY.iterdir() if path.suffix in (".yaml", ".yml") and path.stem != "krew"))
def test_yaml_is_yaml(name: str) -> None:
    assert isinstance(document(name), dict)


def test_the_krew_template_is_yaml_once_it_is_filled_in() -> None:
    text = re.sub(r"\{\{addURIAndSha.*\}\}", "uri: x\n      sha256: y", (DEPLOY / "krew.yaml").read_text(encoding="utf-8"))
    manifest = yaml.safe_load(text)
    assert manifest["kind"] == "Plugin"
    assert len(manifest["spec"]["shortDescription"]) <= 50
    assert manifest["spec"]["platforms"][0]["bin"] == "ipt-explain.pyz"


def test_every_command_line_is_one_of_the_program() -> None:
    """All `ipt-explain COMMAND --option …` in the samples parse: commands and options exist."""
    options = {
        option
        for name in COMMANDS
        if (command := commands.get_command(None, name))  # type: ignore[arg-type]
        for parameter in command.params
        for option in parameter.opts
    }
    found = 0
    for path in DEPLOY.iterdir():
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in re.findall(r"(?<![\w/-])ipt-explain (audit[^\n|#`]*)", text):
            words = shlex.split(line.replace('"', " "))
            found += 1
            for word in words[1:]:
                if word.startswith("-"):
                    assert word in options, (path.name, line)
    assert found >= 4


def test_alerts_use_metrics_that_are_printed() -> None:
    printed = run("audit", DAMAGED, "-o", "openmetrics").out
    for rule in document("prometheus-rules.yaml")["groups"][0]["rules"]:
        for metric in re.findall(r"ipt_explain_\w+", rule["expr"]):
            assert f"\n{metric}{{" in printed


def test_alerts_on_fleets_use_metrics_that_are_printed() -> None:
    nodes = (SAMPLES / "kube-proxy-1.30-basic.txt", DAMAGED)
    printed = run("compare", "--nodes", *nodes, "-o", "openmetrics").out
    for rule in document("fleet-rules.yaml")["groups"][0]["rules"]:
        for metric in re.findall(r"ipt_explain_\w+", rule["expr"]):
            assert f"\n{metric}{{" in printed


def test_the_cron_job_s_command_is_the_plugin_s() -> None:
    from ipt_explain.cli.kubectl import nodes

    script = (DEPLOY / "fleet-cronjob.yaml").read_text(encoding="utf-8")
    (line,) = re.findall(r"kubectl iptexplain nodes ([^>\n]*)>", script)
    options = {option for parameter in nodes.params for option in parameter.opts}
    assert {word for word in line.split() if word.startswith("-")} <= options


def test_the_image_for_nodes_has_the_tools_of_every_mode() -> None:
    (packages,) = re.findall(r"apt-get install -y --no-install-recommends (.*) \\\n", (DEPLOY / "Dockerfile").read_text("utf-8"))
    assert {"iptables", "nftables", "ipset", "ipvsadm", "iproute2"} <= set(packages.split())


def test_the_daemon_set_mounts_what_it_writes_to() -> None:
    (container,) = document("daemonset.yaml")["spec"]["template"]["spec"]["containers"]
    (script,) = (word for word in container["command"] if "ipt-explain" in word)
    assert "openmetrics=/metrics/" in script
    assert container["volumeMounts"] == [{"name": "metrics", "mountPath": "/metrics"}]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW"]}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize("name", ["prometheus-rules.yaml", "fleet-rules.yaml"])
def test_prometheus_accepts_the_alerts(name: str) -> None:
    done = subprocess.run(["promtool", "check", "rules", str(DEPLOY / name)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize(
    "command", [["audit", "-o", "openmetrics"], ["compare", "--nodes", "-o", "openmetrics", str(SAMPLES / "kube-proxy-1.30-basic.txt")]]
)
def test_prometheus_accepts_the_metrics(command: list[str]) -> None:
    printed = run(*command, str(SAMPLES / "damaged-node.txt")).out
    done = subprocess.run(["promtool", "check", "metrics"], input=printed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
