"""Changes that a configuration file makes to findings: severities of rules, and rules ignored for some paths."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.settings.selection import Names, nearest, parse_ids
from ipt_explain.errors import UsageError
from ipt_explain.records import dataclass, replace

if TYPE_CHECKING:
    from pathlib import Path

SEVERITIES, PATHS = "severities", "per-path-ignores"


@dataclass(frozen=True, slots=True)
class Overrides:
    """`severities` by ID or prefix of IDs, of which the longest match counts; `ignores` by path pattern."""

    severities: tuple[tuple[str, Severity], ...] = ()
    ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def apply(self, finding: Finding) -> Finding | None:
        """The finding as reported; None if its path ignores the rule."""
        from fnmatch import fnmatchcase  # few configurations have any

        for pattern, ids in self.ignores:
            if finding.rule.startswith(ids) and fnmatchcase(finding.source.removeprefix("./"), pattern):
                return None
        fitting = [entry for entry in self.severities if finding.rule.startswith(entry[0])]
        return replace(finding, severity=max(fitting, key=lambda entry: len(entry[0]))[1]) if fitting else finding


def read_overrides(path: Path, options: Mapping[str, object], known: Names) -> Overrides:
    """The overrides among a file's options. Raises UsageError for invalid rules, severities or forms."""
    severities: list[tuple[str, Severity]] = []
    for rules, severity in _table(path, options, SEVERITIES):
        names = [each.value for each in Severity]
        if severity not in names:
            raise UsageError(f"{path}: {SEVERITIES}: {severity} is no severity{nearest(severity, names)}")
        severities += [(rule, Severity(severity)) for rule in parse_ids([rules], known, f"{path}: {SEVERITIES}")]
    ignores = tuple(
        (pattern, parse_ids([rules], known, f"{path}: {PATHS}")) for pattern, rules in _table(path, options, PATHS)
    )
    return Overrides(tuple(severities), ignores)


def _table(path: Path, options: Mapping[str, object], name: str) -> Iterable[tuple[str, str]]:
    """The pairs of a TOML table, or of lines `KEY = VALUE` in setup.cfg; a list's words are joined."""
    value = options.get(name, {})
    if isinstance(value, str):
        value = dict(_pair(path, name, line) for line in value.splitlines() if line.strip())
    if not isinstance(value, dict):
        raise UsageError(f"{path}: {name} must be a table")
    for key, entry in value.items():
        words = entry if isinstance(entry, list) else [entry]
        if not all(isinstance(word, str) for word in words):
            raise UsageError(f"{path}: {name}: {key} must be a string or a list of strings")
        yield key, ",".join(words)


def _pair(path: Path, name: str, line: str) -> tuple[str, str]:
    found = re.fullmatch(r"\s*(\S.*?)\s*[=:]\s*(\S.*?)\s*", line)
    if found is None:
        raise UsageError(f"{path}: {name}: write KEY = VALUE, not {line.strip()}")
    return found[1], found[2]
