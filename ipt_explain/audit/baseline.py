"""Baselines: findings that are known already, so that CI speaks up only about new ones.

A baseline is a JSON file with one entry per finding. Only the fingerprint counts; the other words are there for the
person who reviews the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from ipt_explain.audit.finding import Finding
from ipt_explain.errors import UsageError

SCHEMA = "ipt-explain/baseline/1"


def read_baseline(path: Path) -> frozenset[str]:
    """The fingerprints that a baseline file holds. Raises UsageError for a file that is not one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the baseline {path}: {error.strerror}; --write-baseline makes one") from None
    except ValueError as error:
        raise UsageError(f"the baseline {path} is not JSON: {error}") from None
    if (
        not isinstance(content, dict)
        or content.get("schema") != SCHEMA
        or not isinstance(content.get("findings"), list)
    ):
        raise UsageError(
            f'{path} is not a baseline: it lacks "schema": "{SCHEMA}" or "findings"; --write-baseline makes one'
        )
    return frozenset(
        entry["fingerprint"]
        for entry in content["findings"]
        if isinstance(entry, dict) and isinstance(entry.get("fingerprint"), str)
    )


def baseline_text(findings: Iterable[Finding]) -> str:
    """The baseline of these findings, as the file's text; ordered, so that it differs only where findings do."""
    entries = [
        {
            "fingerprint": finding.fingerprint,
            "rule": finding.rule,
            "service": finding.service,
            "chain": finding.chain,
            "message": finding.message,
        }
        for finding in findings
    ]
    entries.sort(key=lambda entry: (str(entry["rule"]), str(entry["fingerprint"])))
    return json.dumps({"schema": SCHEMA, "findings": entries}, indent=2) + "\n"


def write_baseline(path: Path, findings: Iterable[Finding]) -> None:
    """Write the baseline of these findings. Raises UsageError where the file cannot be written."""
    try:
        path.write_text(baseline_text(findings), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write the baseline {path}: {error.strerror}") from None
