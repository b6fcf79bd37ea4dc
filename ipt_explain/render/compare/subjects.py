"""Differences by subject, for comparisons of two dumps and of many nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from ipt_explain.columns import columns
from ipt_explain.compare.differences import Difference, DifferenceKind
from ipt_explain.records import Record, field
from ipt_explain.render.text.outline import TreeNode, draw, sentence
from ipt_explain.render.text.paint import Paint
from ipt_explain.render.text.safe import cells, escape
from ipt_explain.words import counted, family_name

Groups = dict[str, list[Difference]]

SHOWN_RULES = 10
STYLES = {"+": "green", "-": "red", "~": "yellow"}

_INDENT = "  "
_RULE_INDENT = " " * 6

SUBJECT = ("service", "protocol", "family")
"""The fields that say what a difference is about."""


class Subjects(Record, frozen=False):
    """Differences by title, in the order found: those of the node as a whole, and those of each service port."""

    node: Groups = field(default_factory=dict)
    services: Groups = field(default_factory=dict)


def by_subject(differences: Iterable[Difference], of_node: Callable[[Difference], str]) -> Subjects:
    """Group the differences; `of_node` returns the title, without family, of one that is about no Service."""
    found = Subjects()
    for difference in differences:
        family = family_name(difference.family.value)
        if difference.service is None:
            found.node.setdefault(f"{of_node(difference)} · {family}", []).append(difference)
        else:
            title = f"{escape(difference.service)} · {escape(difference.protocol or '')} · {family}"
            found.services.setdefault(title, []).append(difference)
    return found


def tally(differences: Sequence[Difference], outside: str) -> list[str]:
    """`3 differences in 2 service ports`, and `1 difference` plus the words `outside` for those about no Service."""
    subjects = columns(differences, SUBJECT)
    services = {subject for subject in set(zip(*subjects)) if subject[0] is not None}
    others = subjects[0].count(None)
    parts = []
    if services:
        number = counted(len(differences) - others, "difference")
        parts.append(f"{number} in {counted(len(services), 'service port')}")
    if others:
        parts.append(f"{counted(others, 'difference')} {outside}")
    return parts


def heading(text: str, width: int, paint: Paint) -> list[str]:
    """An escaped title wrapped to a width."""
    return [f"{paint(line.rstrip(), 'bold')}\n" for line in wrapped_text("", text, width)]


def wrapped_text(indent: str, text: str, width: int) -> list[str]:
    """An escaped text wrapped to a width, with a hanging indent."""
    if cells(text) <= width - len(indent):
        return [f"{indent}{text}".rstrip() + "\n"]
    lines = draw(TreeNode(sentence(text), hang=len(_INDENT)), width - len(indent))
    return [f"{indent}{''.join(word for word, _ in line)}".rstrip() + "\n" for line in lines]


def changed_rules(difference: Difference, width: int, paint: Paint) -> Iterator[str]:
    """The rules of other components that were removed and added, only the first of many."""
    if difference.kind is DifferenceKind.FOREIGN_RULES:
        yield from _rules("-", difference.before, width, paint)
        yield from _rules("+", difference.after, width, paint)


def _rules(sign: str, side: object, width: int, paint: Paint) -> Iterator[str]:
    rules = side.get("rules", []) if isinstance(side, dict) else []
    for rule in rules[:SHOWN_RULES]:
        first, *rest = wrapped_text(f"{_RULE_INDENT}  ", escape(str(rule)), width)
        yield f"{_RULE_INDENT}{paint(sign, STYLES[sign])} {first.lstrip()}"
        yield from rest
    if len(rules) > SHOWN_RULES:
        more = counted(len(rules) - SHOWN_RULES, "more rule")
        yield f"{_RULE_INDENT}{paint(sign, STYLES[sign])} {more} (-o json has all)\n"
