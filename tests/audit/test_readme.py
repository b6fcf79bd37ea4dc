"""README and the catalogue say the same."""

from __future__ import annotations

from ipt_explain.audit.rules.index import RULES
from ipt_explain.render.audit.rule_pages import catalogue_markdown
from tests.audit.catalogue import README, table_in


def test_the_table_in_readme_is_the_catalogue() -> None:
    written = table_in(README.read_text(encoding="utf-8"))
    assert written == catalogue_markdown(RULES), "run `python -m tests.audit.catalogue`"
