"""The catalogue's index and README's table of it: `python -m tests.audit.catalogue` rewrites both."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from ipt_explain.audit.rule import Asked, AuditRule, Check
from ipt_explain.render.audit.rule_pages import catalogue_markdown

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
INDEX = ROOT / "ipt_explain" / "audit" / "rules" / "index.py"
BEGIN = "<!-- rules:begin -->\n"
END = "<!-- rules:end -->\n"


def rules_of_modules() -> list[AuditRule]:
    """What the rules' modules say of themselves, by ID."""
    rules = importlib.import_module("ipt_explain.audit.rules")
    names = [each.name for each in pkgutil.walk_packages(rules.__path__, f"{rules.__name__}.") if ".ipt" in each.name]
    found = [value for name in names for value in vars(importlib.import_module(name)).values() if isinstance(value, Check)]
    return sorted((check.rule for check in found), key=lambda rule: rule.id)


def index_text() -> str:
    """The index as a module."""
    return f'''"""Every rule of ours, told without importing it. `python -m tests.audit.catalogue` writes this from their modules."""

from __future__ import annotations

from ipt_explain.audit.rule import Asked, AuditRule
from ipt_explain.audit.severity import Severity

RULES = (
{"".join(map(_entry, rules_of_modules()))})
'''


def _entry(rule: AuditRule) -> str:
    fields = [_quoted(rule.id), _quoted(rule.slug), f"Severity.{rule.severity.name}", _quoted(rule.title), _quoted(rule.module)]
    for name, usual in (("since", None), ("until", None), ("reads_absence", False), ("asked", True), ("catch_all", False)):
        value = getattr(rule, name)
        if value != usual:
            fields.append(f"{name}={value}")
    if rule.of is not Asked.IPTABLES:
        fields.append(f"of=Asked.{rule.of.name}")
    for name, words in (("about", rule.about), ("yields_to", rule.yields_to)):
        if words:
            fields.append(f"{name}=(\n{''.join(f'            {_quoted(each)},{chr(10)}' for each in words)}        )")
    return "    AuditRule(\n" + "".join(f"        {field},\n" for field in fields) + "    ),\n"


def _quoted(text: str) -> str:
    return f"'{text}'" if '"' in text else f'"{text}"'


def table_in(text: str) -> str:
    """What stands between the markers. Raises ValueError where they are missing."""
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)]


def with_table(text: str, table: str) -> str:
    """The text with another table between the markers."""
    return text[: text.index(BEGIN) + len(BEGIN)] + table + text[text.index(END) :]


if __name__ == "__main__":
    written = rules_of_modules()
    INDEX.write_text(index_text(), encoding="utf-8", newline="\n")
    README.write_text(with_table(README.read_text(encoding="utf-8"), catalogue_markdown(written)), encoding="utf-8", newline="\n")
