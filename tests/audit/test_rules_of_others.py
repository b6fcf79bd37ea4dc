"""Rules that another package brings by an entry point."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.program import ROOT, Result, run

PAGE = '''"""Nobody may log.

What it checks:
    Rules with target LOG.

Why it matters:
    Our disks are small.

Example:
    -A INPUT -j LOG

How to fix:
    Delete the rule.

When to ignore:
    Never.
"""
'''
RULE = """
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule


@rule("{id}", "no-logging", Severity.WARNING, since=20)
def no_logging(context: RulesetContext) -> Faults:
    for table in context.ruleset.tables.values():
        for chain in table.chains.values():
            for logging in chain.rules:
                if logging.target == "LOG":
                    yield Fault("this rule logs", "Delete it.", at_rule(logging))
"""


Program = Callable[..., Result]


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Program]:
    """Installs a package with one rule of a given source, and gives back the program that finds it."""

    def install(source: str) -> Program:
        (tmp_path / "acme_rules.py").write_text(source)
        info = tmp_path / "acme-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[ipt_explain.rules]\nno-logging = acme_rules\n")
        return lambda *arguments, stdin=None: run(*arguments, stdin=stdin, PYTHONPATH=f"{ROOT}:{tmp_path}")

    return install


def test_a_rule_of_another_package_is_asked_like_ours(program: Callable[[str], Program]) -> None:
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    run = program(next(example for example in examples if "@rule(" in example))
    text = "-A INPUT -s 10.0.0.0/8 -j LOG\n"
    done = run("audit", "--fail-on", "warning", stdin=text)
    assert done.status == 1 and "warning[ACME001 no-logging] this rule logs" in done.out
    assert "ACME001" not in run("audit", "--ignore", "ACME", stdin=text).out
    page = run("rules", "no-logging").out
    assert "A rule logs." in page and "kube-proxy: 1.20 or later" in page
    assert run("rules", "--width", "120").out.splitlines()[-3].startswith("ACME001")


def test_a_release_outside_of_a_rules_range_is_not_judged(program: Callable[[str], Program]) -> None:
    run = program(PAGE + RULE.format(id="ACME001"))
    log = "-A INPUT -j LOG\n"
    five_digits = (
        "-A KUBE-SERVICES -j KUBE-SVC-NPX46M4PTMTKRN6Y\n-A KUBE-SVC-NPX46M4PTMTKRN6Y -m statistic --mode random "
        "--probability 0.33332999982 -j KUBE-SEP-QAI6IJGEKZYOMWSX\n"
    )
    assert "ACME001" in run("audit", stdin=log + five_digits.replace("2999982", "3333349")).out
    assert "ACME001" not in run("audit", stdin=log + five_digits).out  # 1.16 or earlier


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (PAGE + RULE.format(id="IPT999"), "rule no-logging of acme: IPT999 has the prefix of ipt-explain's own rules"),
        ("1 / 0\n", "rule no-logging of acme cannot be loaded (ZeroDivisionError: division by zero)"),
        (PAGE, "has no function that `rule` or `dump_rule` decorates"),
        ('"""Title."""\n' + RULE.format(id="ACME001"), "lacks or misplaces: What it checks"),
        (PAGE + RULE.format(id="acme1"), "a rule's ID is two or more capital letters and three digits, not acme1"),
    ],
)
def test_a_rule_that_cannot_be_used_is_named(program: Callable[[str], Program], source: str, complaint: str) -> None:
    done = program(source)("audit", stdin="-A INPUT -j LOG\n")
    assert done.status == 2 and complaint in done.err
    assert "Traceback" not in done.err
