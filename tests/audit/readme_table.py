"""README's table of rules: `python -m tests.audit.readme_table` writes it anew from the catalogue."""

from __future__ import annotations

from pathlib import Path

from ipt_explain.audit.rules import ALL_RULES
from ipt_explain.render.audit.rule_pages import catalogue_markdown

README = Path(__file__).parents[2] / "README.md"
BEGIN = "<!-- rules:begin -->\n"
END = "<!-- rules:end -->\n"


def table_in(text: str) -> str:
    """What stands between the markers. Raises ValueError where they are missing."""
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)]


def with_table(text: str, table: str) -> str:
    """The text with another table between the markers."""
    return text[: text.index(BEGIN) + len(BEGIN)] + table + text[text.index(END) :]


if __name__ == "__main__":
    README.write_text(
        with_table(README.read_text(encoding="utf-8"), catalogue_markdown(ALL_RULES)), encoding="utf-8", newline="\n"
    )
