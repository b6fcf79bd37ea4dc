"""All rules of the audit: ours, and those of other packages.

A package adds a rule with an entry point of the group `ipt_explain.rules` that names the rule's module. The rule is
written like ours (`audit.authoring`), with an ID that has another prefix than IPT.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType

from ipt_explain.audit.rule import AuditRule, Check
from ipt_explain.audit.rules.index import RULES
from ipt_explain.errors import UsageError

GROUP = "ipt_explain.rules"
_OURS = "IPT"


def catalogue() -> tuple[AuditRule, ...]:
    """All rules, ours first. Raises UsageError with the rule's name if a rule of another package cannot be used."""
    return (*RULES, *_brought(RULES)) if _is_any_brought() else RULES


def rule_names(rules: Iterable[AuditRule]) -> dict[str, str]:
    """The ID of each rule, by ID and by slug."""
    return {name: rule.id for rule in rules for name in (rule.id, rule.slug)}


def _is_any_brought() -> bool:
    """Whether an installed package has an entry point for rules. `importlib.metadata` knows too, but loading it takes
    longer than auditing a small dump."""
    group = GROUP.encode()
    for folder in sys.path:
        if folder.endswith((".zip", ".egg")) and os.path.isfile(folder):
            return True
        try:
            with os.scandir(folder or ".") as entries:
                packages = [entry.path for entry in entries if entry.name.endswith((".dist-info", ".egg-info"))]
        except OSError:
            continue
        for package in packages:
            try:
                with open(os.path.join(package, "entry_points.txt"), "rb") as file:
                    if group in file.read():
                        return True
            except OSError:
                continue
    return False


def _brought(known: Iterable[AuditRule]) -> Iterator[AuditRule]:
    from importlib.metadata import entry_points

    ids = {rule.id for rule in known}
    for entry in sorted(entry_points(group=GROUP), key=lambda each: each.value):
        origin = f"rule {entry.name} of {entry.dist.name if entry.dist is not None else entry.value}"
        try:
            loaded = entry.load()
        except Exception as error:
            raise UsageError(f"{origin} cannot be loaded ({type(error).__name__}: {error})") from error
        checks = list(_checks(loaded))
        if not checks:
            raise UsageError(f"{origin}: {entry.value} has no function that `rule` or `dump_rule` decorates")
        for check in checks:
            rule = check.rule
            if rule.id[:-3] == _OURS:
                raise UsageError(f"{origin}: {rule.id} has the prefix of ipt-explain's own rules; choose another")
            if rule.id in ids:
                raise UsageError(f"{origin}: another rule also has the ID {rule.id}")
            try:
                _ = rule.page
            except ValueError as error:
                raise UsageError(f"{origin}: {error}") from None
            ids.add(rule.id)
            yield rule


def _checks(loaded: object) -> Iterator[Check]:
    for value in vars(loaded).values() if isinstance(loaded, ModuleType) else (loaded,):
        if isinstance(value, Check):
            yield value
