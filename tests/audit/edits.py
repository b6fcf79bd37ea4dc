"""Captured dumps with one line changed, to try rules of the catalogue on."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from ipt_explain.audit.findings.finding import Finding
from tests.audit.helpers import audit_text
from tests.kube_corpus import scenario


def captured(version: str, name: str = "policy") -> str:
    """The output of iptables-save in a capture."""
    return scenario(version, name).ipv4


def without(text: str, *parts: str) -> str:
    """The text without the one rule that contains all of `parts`."""
    return _replaced(text, parts, None)


def changed(text: str, old: str, new: str, *parts: str) -> str:
    """The text with `old` replaced by `new` in the one rule that contains it and all of `parts`."""
    return _replaced(text, (old, *parts), lambda line: line.replace(old, new, 1))


def ahead_of(text: str, rule: str, *parts: str) -> str:
    """The text with a rule before the one that contains all of `parts`."""
    return _replaced(text, parts, lambda line: f"{rule}\n{line}")


def behind(text: str, rule: str, *parts: str) -> str:
    """The text with a rule after the one that contains all of `parts`."""
    return _replaced(text, parts, lambda line: f"{line}\n{rule}")


def policy(text: str, table: str, chain: str, verdict: str) -> str:
    """The text with another policy for a built-in chain."""
    head, section, tail = text.partition(f"*{table}\n")
    return head + section + re.sub(rf"^:{chain} \w+", f":{chain} {verdict}", tail, count=1, flags=re.MULTILINE)


def _replaced(text: str, parts: tuple[str, ...], change: Callable[[str], str] | None) -> str:
    lines = text.splitlines()
    places = [
        place for place, line in enumerate(lines) if line.startswith("-A ") and all(part in line for part in parts)
    ]
    assert len(places) == 1, f"{len(places)} rules hold {parts}"
    if change is None:
        del lines[places[0]]
    else:
        lines[places[0]] = change(lines[places[0]])
    return "\n".join(lines) + "\n"


@functools.cache
def _known(text: str) -> frozenset[str]:
    return frozenset(finding.fingerprint for finding in audit_text(text))


def new_findings(text: str, before: str) -> list[Finding]:
    """The audit's findings in a text that are not in the original."""
    known = _known(before)
    return [finding for finding in audit_text(text) if finding.fingerprint not in known]


def finding(rule_id: str, text: str, before: str) -> Finding:
    """The only new finding of a rule, caused by the change."""
    found = [each for each in new_findings(text, before) if each.rule == rule_id]
    assert len(found) == 1, [str(each) for each in new_findings(text, before)]
    return found[0]


def line_of(text: str, *parts: str) -> int:
    """The line number of the one rule that contains all of `parts`."""
    numbers = [
        number
        for number, line in enumerate(text.splitlines(), 1)
        if line.startswith("-A ") and all(part in line for part in parts)
    ]
    assert len(numbers) == 1, f"{len(numbers)} rules hold {parts}"
    return numbers[0]
