"""Lines that iptables prints but cannot read back.

Facts: libxtables prints `[unsupported revision]` for an extension newer than itself; a NAT target of a newer revision
may be printed as address 0.0.0.0 or port 0, which no parser takes; `xtables_save_string` prints line feeds as they
are, while iptables-restore reads line by line; chain names have at most 28 bytes (XT_FUNCTION_MAXNAMELEN less the
end), nft's more.
"""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.model import Chain, Hidden, Option, Rule, Ruleset, Shape
from ipt_explain.model.by_shape import RulesByShape, RulesOfShape
from ipt_explain.records import Record

UNSUPPORTED = "[unsupported revision]"
LONGEST_CHAIN_NAME = 28

_NAT_OPTIONS = ("--to-destination", "--to-source", "--to-ports")


class UnreadableRules(Record):
    """One kind of trouble in one table: the rules that have it, or a chain. `focus` is the text that shows it."""

    what: str
    rules: tuple[Rule, ...] = ()
    chain: Chain | None = None
    focus: str = ""


def find_unreadable(ruleset: Ruleset, rules_of: RulesByShape) -> tuple[UnreadableRules, ...]:
    """Everything in a ruleset that could not be restored."""
    return tuple(_unreadable(ruleset, rules_of))


def _unreadable(ruleset: Ruleset, rules_of: RulesByShape) -> Iterator[UnreadableRules]:
    for shapes in rules_of.values():
        for shape, rules in shapes.items():
            yield from _of_shape(shape, rules)
    for table in ruleset.tables.values():
        for name, chain in table.chains.items():
            if len(name) > LONGEST_CHAIN_NAME:
                what = f"the name of chain {name} is longer than {LONGEST_CHAIN_NAME} bytes"
                yield UnreadableRules(what, chain=chain)


def _of_shape(shape: Shape, rules: RulesOfShape) -> Iterator[UnreadableRules]:
    if any(UNSUPPORTED in literal for literal in shape.literals):
        what = f"iptables-save did not understand what it printed as {UNSUPPORTED}"
        yield UnreadableRules(what, tuple(rules), focus=UNSUPPORTED)
        return
    if Hidden.TARGET in shape.hidden:
        focus = next((option.name for option in _nat_options(shape)), "")
        what = "the iptables that saved this is older than the one that wrote its NAT targets, and garbled them"
        yield UnreadableRules(what, tuple(rules), focus=focus)
        return
    for option in _nat_options(shape):
        slot = option.slots[0]
        texts = ["\n".join(words) + "\n" for words in rules.columns(slot)]
        if any(":0\n" in text or "/0\n" in text for text in texts):
            wrong = rules.having(slot, lambda word: word.endswith((":0", "/0")))
            focus = f"{option.name} {wrong[0].word(slot)}"
            yield UnreadableRules("a NAT target was saved with port 0", tuple(wrong), focus=focus)
            return
    comment = shape.match_option("comment", "--comment")
    if comment is not None and comment.slots:
        slot = comment.slots[0]
        if any("\n" in "".join(words) for words in rules.columns(slot)):
            broken = rules.having(slot, lambda word: "\n" in word)
            yield UnreadableRules("a comment has a line feed in it", tuple(broken))


def _nat_options(shape: Shape) -> Iterator[Option]:
    if shape.target is not None:
        for option in shape.target.options:
            if option.name in _NAT_OPTIONS and option.slots:
                yield option
