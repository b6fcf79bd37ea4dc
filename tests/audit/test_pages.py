"""Every rule's page: complete, and its example true."""

from __future__ import annotations

import re

import pytest

from ipt_explain.audit.page import HEADINGS, Page
from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.index import RULES
from tests.audit.catalogue import INDEX, index_text
from tests.audit.helpers import fired

EACH_RULE = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def test_ids_and_slugs_are_unique_and_ids_ascend() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))
    assert len({rule.slug for rule in RULES}) == len(ids)


@EACH_RULE
def test_page_has_a_text_under_each_heading(rule: AuditRule) -> None:
    page = rule.page
    assert page.title.endswith(".") and len(page.title) <= 100
    assert all(page.sections[heading] for heading in HEADINGS)


@EACH_RULE
def test_names_agree(rule: AuditRule) -> None:
    slug = rule.slug.replace("-", "_")
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.slug)
    assert rule.module.rpartition(".")[2] == f"{rule.id.lower()}_{slug}"
    assert not rule.asked or rule.check().run.__name__ == slug


def test_the_index_is_that_of_the_modules() -> None:
    assert INDEX.read_text(encoding="utf-8") == index_text(), "run `python -m tests.audit.catalogue`"


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.asked], ids=lambda rule: rule.id
)
def test_example_fires_the_rule(rule: AuditRule) -> None:
    assert rule.id in fired(rule.page.example)


def test_a_page_that_lacks_a_heading_is_refused() -> None:
    with pytest.raises(ValueError, match="How to fix"):
        Page.from_docstring("Title.\n\nWhat it checks:\n    This.\n")


def test_an_indented_line_of_an_example_continues_the_one_before() -> None:
    text = "Title.\n\n" + "\n\n".join(f"{heading}:\n    one\n      two" for heading in HEADINGS)
    assert Page.from_docstring(text).example == "one two\n"
