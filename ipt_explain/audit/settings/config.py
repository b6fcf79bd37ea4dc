"""The audit's configuration: `select`, `ignore`, `fail-on`, `baseline`, and the tables `severities`
(of rules) and `per-path-ignores` (rules ignored for some paths).

Any other option is an error, as a misspelt one must not silently mean the default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.settings.config_files import find_config, read_config
from ipt_explain.audit.settings.selection import Names, nearest_word, parse_ids
from ipt_explain.errors import UsageError
from ipt_explain.records import Record, field, replace

if TYPE_CHECKING:
    from pathlib import Path

SEVERITIES, PATHS = "severities", "per-path-ignores"
OPTIONS = ("select", "ignore", "fail-on", "baseline", SEVERITIES, PATHS)
FAIL_ON = ("error", "warning", "info", "never")


class Overrides(Record):
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


class Config(Record):
    """A configuration file's options; None for those that it does not set. `baseline` is relative to the file's
    directory.

    `path` is the file, None if there is none; `unread` are files that were found but not trusted.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    fail_on: str | None = None
    baseline: Path | None = None
    path: Path | None = None
    unread: tuple[Path, ...] = ()
    overrides: Overrides = field(default_factory=Overrides)


def load_config(path: Path | None, known: Names, start: Path | None = None) -> Config:
    """The configuration in `path`, or in the file found from `start` (the working directory).

    Raises UsageError for a file that cannot be read, an unknown option, rule ID or value.
    """
    if path is not None:
        return _config(path, read_config(path), known)
    found = find_config(start)
    if found.path is None:
        return Config(unread=found.unread)
    return replace(_config(found.path, found.options, known), unread=found.unread)


def _config(path: Path, options: Mapping[str, object], known: Names) -> Config:
    for option in options:
        if option not in OPTIONS:
            raise UsageError(
                f"{path}: unknown option {option}{nearest_word(option, OPTIONS)} (known: {', '.join(OPTIONS)})"
            )
    fail_on = _text(path, options, "fail-on")
    if fail_on is not None and fail_on not in FAIL_ON:
        raise UsageError(f"{path}: fail-on is {fail_on}{nearest_word(fail_on, FAIL_ON)} (one of {', '.join(FAIL_ON)})")
    baseline = _text(path, options, "baseline")
    return Config(
        select=_ids(path, options, "select", known),
        ignore=_ids(path, options, "ignore", known),
        fail_on=fail_on,
        baseline=None if baseline is None else path.parent / baseline,
        path=path,
        overrides=_read_overrides(path, options, known),
    )


def _text(path: Path, options: Mapping[str, object], name: str) -> str | None:
    value = options.get(name)
    if value is None or isinstance(value, str):
        return value
    raise UsageError(f"{path}: {name} must be a string")


def _ids(path: Path, options: Mapping[str, object], name: str, known: Names) -> tuple[str, ...] | None:
    value = options.get(name)
    if value is None:
        return None
    words = value if isinstance(value, list) else [value]
    texts = [word for word in words if isinstance(word, str)]
    if len(texts) < len(words):
        raise UsageError(f"{path}: {name} must be a list of rule IDs")
    return parse_ids(texts, known, f"{path}: {name}")


def _read_overrides(path: Path, options: Mapping[str, object], known: Names) -> Overrides:
    """The overrides among a file's options. Raises UsageError for invalid rules, severities or forms."""
    severities: list[tuple[str, Severity]] = []
    for rules, severity in _table(path, options, SEVERITIES):
        names = [each.value for each in Severity]
        if severity not in names:
            raise UsageError(f"{path}: {SEVERITIES}: {severity} is no severity{nearest_word(severity, names)}")
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
