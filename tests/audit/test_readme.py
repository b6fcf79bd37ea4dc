"""README and the catalogue say the same."""

from __future__ import annotations

from ipt_explain.audit.rules import ALL_RULES
from ipt_explain.render.audit.rule_pages import catalogue_markdown
from tests.audit.readme_table import README, table_in


def test_the_table_in_readme_is_the_catalogue() -> None:
    written = table_in(README.read_text(encoding="utf-8"))
    assert written == catalogue_markdown(ALL_RULES), "run `python -m tests.audit.readme_table`"
