"""Baselines: findings that are already known, so that CI fails only for new ones.

A baseline is a JSON file with one entry per finding. Source and fingerprint identify an entry: a finding known on one
node hides nothing on another, and the second of two equal findings has its own fingerprint. The other fields are for
the person who reviews the file.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.errors import UsageError
from ipt_explain.inputs.files import read_regular
from ipt_explain.records import Record, field

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "ipt-explain/baseline/2"
_ANY_SCHEMA = b'"schema": "ipt-explain/baseline/'
_ANEW = "--write-baseline makes one"
_Key = tuple[str, str]


class Baseline(Record):
    """The known findings of a file: the rule and place of each entry, by source and fingerprint."""

    entries: Mapping[_Key, str] = field(default_factory=dict)

    def holds(self, finding: Finding) -> bool:
        """Whether a finding is known."""
        return _key(finding) in self.entries

    def gone(self, findings: Iterable[Finding], sources: Iterable[str], rules: Container[str]) -> list[str]:
        """The entries about these sources and rules that match no finding any more, in words."""
        judged = set(map(_source, sources))
        present = set(map(_key, findings))
        return [
            f"{words} in {key[0]}"
            for key, words in self.entries.items()
            if key not in present and key[0] in judged and words.split(" ", 1)[0] in rules
        ]


def read_baseline(path: Path) -> Baseline:
    """The baseline in a file. Raises UsageError for a file that is not one."""
    from ipt_explain.inputs.json_values import json_value

    try:
        content: Any = json_value(read_regular(path)[0], os.fspath(path))
    except UsageError as error:
        raise UsageError(f"the baseline {error}; {_ANEW}") from None
    if not isinstance(content, dict) or not isinstance(content.get("schema"), str):
        raise UsageError(f'{path} is not a baseline: it lacks "schema": "{SCHEMA}"; {_ANEW}')
    if content["schema"] != SCHEMA:
        raise UsageError(f"{path} is of schema {content['schema']}, not {SCHEMA}; {_ANEW}")
    if not isinstance(content.get("findings"), list):
        raise UsageError(f'{path} is not a baseline: it lacks "findings"; {_ANEW}')
    return Baseline(dict(_entry(path, number, each) for number, each in enumerate(content["findings"], start=1)))


def _entry(path: Path, number: int, entry: Any) -> tuple[_Key, str]:
    words = [entry.get(name) if isinstance(entry, dict) else None for name in ("source", "fingerprint", "rule")]
    source, fingerprint, rule = (word if isinstance(word, str) else None for word in words)
    if source is None or fingerprint is None or rule is None:
        raise UsageError(f"{path}: finding {number} lacks its source, fingerprint or rule; {_ANEW}")
    place = next((entry[name] for name in ("service", "chain") if isinstance(entry.get(name), str)), "")
    return (source, fingerprint), f"{rule} {place}".rstrip()


def _key(finding: Finding) -> _Key:
    return _source(finding.source), finding.fingerprint


def _source(source: str) -> str:
    """A source's name, normalized: `./node.txt` is node.txt."""
    return source if source == "-" else os.path.normpath(source)


def baseline_text(findings: Iterable[Finding]) -> str:
    """The baseline of these findings, as the file's text; sorted, so that it differs only where findings do."""
    entries = [
        {
            "source": _source(finding.source),
            "fingerprint": finding.fingerprint,
            "rule": finding.rule,
            "service": finding.service,
            "chain": finding.chain,
            "message": finding.message,
        }
        for finding in findings
    ]
    entries.sort(key=lambda entry: [str(entry[name]) for name in ("source", "rule", "fingerprint")])
    import json

    return json.dumps({"schema": SCHEMA, "findings": entries}, indent=2) + "\n"


def write_baseline(path: Path, findings: Iterable[Finding], inputs: Iterable[str] = (), force: bool = False) -> None:
    """Write the baseline of these findings, in one step; without `force`, overwrite only a baseline.

    Raises UsageError if the file must not or cannot be written.
    """
    from ipt_explain.outputs import write_file

    write_file(path, [baseline_text(findings)], inputs=inputs, may_replace=_is_baseline, force=force)


def _is_baseline(head: bytes) -> bool:
    return _ANY_SCHEMA in head
