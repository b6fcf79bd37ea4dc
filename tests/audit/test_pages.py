"""Every rule's page: complete, and its example true."""

from __future__ import annotations

import re

import pytest

from ipt_explain.audit.page import HEADINGS, Page
from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules import ALL_RULES
from tests.audit.helpers import fired

EACH_RULE = pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.id)


def test_ids_and_slugs_are_unique_and_ids_ascend() -> None:
    ids = [rule.id for rule in ALL_RULES]
    assert ids == sorted(set(ids))
    assert len({rule.slug for rule in ALL_RULES}) == len(ids)


@EACH_RULE
def test_page_has_a_text_under_each_heading(rule: AuditRule) -> None:
    page = rule.page
    assert page.title.endswith(".") and len(page.title) <= 100
    assert all(page.sections[heading] for heading in HEADINGS)


@EACH_RULE
def test_names_agree(rule: AuditRule) -> None:
    check = rule.check_ruleset or rule.check_dump
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.slug)
    if check is not None:
        slug = rule.slug.replace("-", "_")
        assert check.__name__ == slug
        assert check.__module__.rpartition(".")[2] == f"{rule.id.lower()}_{slug}"


@pytest.mark.parametrize(
    "rule", [rule for rule in ALL_RULES if rule.check_ruleset or rule.check_dump], ids=lambda rule: rule.id
)
def test_example_fires_the_rule(rule: AuditRule) -> None:
    assert rule.id in fired(rule.page.example)


def test_a_page_that_lacks_a_heading_is_refused() -> None:
    with pytest.raises(ValueError, match="How to fix"):
        Page.from_docstring("Title.\n\nWhat it checks:\n    This.\n")


def test_an_indented_line_of_an_example_continues_the_one_before() -> None:
    text = "Title.\n\n" + "\n\n".join(f"{heading}:\n    one\n      two" for heading in HEADINGS)
    assert Page.from_docstring(text).example == "one two\n"
