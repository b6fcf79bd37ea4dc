"""The catalogue's index and README's table of it: `python -m tests.audit.catalogue` rewrites both."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from ipt_explain.audit.rule import AuditRule, Check
from ipt_explain.render.audit.rule_pages import catalogue_markdown

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
INDEX = ROOT / "ipt_explain" / "audit" / "rules" / "index.py"
BEGIN = "<!-- rules:begin -->\n"
END = "<!-- rules:end -->\n"
WIDTH = 120


def rules_of_modules() -> list[AuditRule]:
    """The rules from their modules, by ID."""
    rules = importlib.import_module("ipt_explain.audit.rules")
    names = [each.name for each in pkgutil.walk_packages(rules.__path__, f"{rules.__name__}.") if ".ipt" in each.name]
    found = [value for name in names for value in vars(importlib.import_module(name)).values() if isinstance(value, Check)]
    return sorted((check.rule for check in found), key=lambda rule: rule.id)


def index_text() -> str:
    """The index as a module."""
    return f'''"""Our rules, described without importing them. `python -m tests.audit.catalogue` writes this from their modules."""

from __future__ import annotations

from typing import Any

from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.rule import Asked, AuditRule

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


def _rule(
    severity: Severity, room: str, rule_id: str, slug: str, title: str, evidence: str = "", **more: Any
) -> AuditRule:
    module = f"ipt_explain.audit.rules.{{room}}.{{rule_id.lower()}}_{{slug.replace('-', '_')}}"
    path = evidence and f"ipt_explain.audit.evidence.{{evidence}}"
    return AuditRule(rule_id, slug, severity, title, module, evidence=path, **more)


RULES = (
{"".join(map(_entry, rules_of_modules()))})
'''


def _entry(rule: AuditRule) -> str:
    room = rule.module.removeprefix("ipt_explain.audit.rules.").rpartition(".")[0]
    fields = [rule.severity.name, *map(_quoted, (room, rule.id, rule.slug, rule.title))]
    usual = AuditRule(rule.id, rule.slug, rule.severity, rule.title, rule.module)
    for name in AuditRule.__slots__:
        value = getattr(rule, name)
        if value != getattr(usual, name):
            fields += f"{name}={_written(value)}".split(", ")
    lines = ["    _rule("]
    for number, field in enumerate(fields):
        piece = field + (")," if number == len(fields) - 1 else ", ")
        if len(lines[-1]) + len(piece.rstrip()) > WIDTH:
            lines.append(" " * 10)
        lines[-1] += piece
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_quoted, value))}{',' * (len(value) == 1)})"
    return _quoted(value.removeprefix("ipt_explain.audit.evidence.")) if isinstance(value, str) else str(value)


def _quoted(text: str) -> str:
    return f"'{text}'" if '"' in text else f'"{text}"'


def table_in(text: str) -> str:
    """The text between the markers. Raises ValueError if they are missing."""
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)]


def with_table(text: str, table: str) -> str:
    """The text with another table between the markers."""
    return text[: text.index(BEGIN) + len(BEGIN)] + table + text[text.index(END) :]


if __name__ == "__main__":
    written = rules_of_modules()
    INDEX.write_text(index_text(), encoding="utf-8", newline="\n")
    README.write_text(with_table(README.read_text(encoding="utf-8"), catalogue_markdown(written)), encoding="utf-8", newline="\n")
