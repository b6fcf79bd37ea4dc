"""A chain in plain English: its author, its purpose, its callers, and what each rule does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ipt_explain.analyzers.owners.owner import KERNEL, owner_of_rule
from ipt_explain.analyzers.profiles.chains import ChainFacts
from ipt_explain.graph.jumps import Jump
from ipt_explain.model import Rule, Ruleset
from ipt_explain.render.english.edge_labels import rule_shares, share_words
from ipt_explain.render.show.chain_words import ChainWords, line_notes
from ipt_explain.render.show.entries import SHOWN_CALLERS, chain_text, entry, rule_count, rule_entry, users
from ipt_explain.render.text.listing import Entry
from ipt_explain.render.text.outline import TreeNode, after_dots, line_tail
from ipt_explain.render.text.safe import escape
from ipt_explain.words import both, family_name, source_name
from ipt_explain.words.quotes import cited, clipped


def chains_text(chains: Sequence[ChainFacts], width: int, color: bool) -> Iterator[str]:
    """The chains as text, in pieces."""
    words: dict[int, ChainWords] = {}
    for number, facts in enumerate(chains):
        if number:
            yield "\n"
        key = id(facts.place)
        if key not in words:
            words[key] = ChainWords(facts.place)
        count = len(facts.chain.layout) if facts.chain is not None else 0
        yield from chain_text(_chain(facts, words[key]), _rule_entries(facts, words[key]), count, width, color)


def _chain(facts: ChainFacts, words: ChainWords) -> TreeNode:
    where = f" · {facts.place.table.name} · {origin(facts.place.ruleset)}"
    chain = facts.chain
    node = TreeNode(
        [(escape(clipped(facts.name)), "name"), *after_dots(escape(where))],
        tail=line_tail(None if chain is None else chain.line),
        hang=2,
    )
    node.children += _about(facts)
    node.children += _callers(facts, words)
    count = None if chain is None else len(chain.layout)
    node.children.append(rule_count(count, facts.built_in, facts.place.ruleset.fragment))
    return node


def origin(ruleset: Ruleset) -> str:
    """Where a ruleset comes from: source, family, backend."""
    names = [source_name(ruleset.source), family_name(ruleset.family.value)]
    return " · ".join(filter(None, [*names, ruleset.backend.title if ruleset.backend else ""]))


def _about(facts: ChainFacts) -> Iterator[TreeNode]:
    owner = facts.owner
    if owner is None:
        yield entry("owner", "unknown: neither its name nor its rules' comments say", style="unknown")
    elif owner.name != KERNEL:
        yield entry("owner", f"{owner.name}, by its {owner.evidence}")
        yield entry("purpose", owner.purpose)
    if facts.built_in:
        policy = facts.chain.policy if facts.chain is not None else None
        decides = f"the policy is {policy}" if policy is not None else "a policy decides that this input does not show"
        yield entry("built-in", f"packets come from the kernel; after the last rule, {decides}")
    elif facts.hooks:
        yield entry("reached", f"from {both(facts.hooks)}")
    elif facts.place.ruleset.fragment:
        yield entry("reached", "this input does not show from where", style="unknown")
    else:
        yield entry("reached", "by no packet: no built-in chain leads here", style="unknown")


def _callers(facts: ChainFacts, words: ChainWords) -> Iterator[TreeNode]:
    shown = [(_caller(jump, words), line_tail(jump.line)) for jump in facts.callers[:SHOWN_CALLERS]]
    return users("called by", shown, len(facts.callers), "more rule")


def _caller(jump: Jump, words: ChainWords) -> str:
    conditions = words.rule(jump.rule).conditions
    manner = ", for good (goto)" if jump.goto else ""
    return f"{jump.source}{manner}" + (f", if a packet {both(conditions)}" if conditions else "")


def _rule_entries(facts: ChainFacts, words: ChainWords) -> Iterator[Entry]:
    chain = facts.chain
    if chain is None:
        return
    share_of = share_words(rule_shares(chain))
    table = facts.place.table.name if facts.built_in else None
    for number, rule in enumerate(chain.each_rule()):
        phrase = words.rule(rule)
        notes = _notes(rule, phrase.comments, share_of.get(number), table)
        yield rule_entry(number + 1, phrase.brief, notes, line_tail(rule.line))


def _notes(rule: Rule, comments: Iterable[str], share: str | None, table: str | None) -> list[str]:
    """Notes after a rule's sentence: its share if the chain balances, its comments, its counters, and in a built-in
    chain its author."""
    notes = [] if share is None else [f"[{share} in all]"]
    notes += map(cited, map(clipped, comments))
    notes += map("[{}]".format, line_notes(rule))
    owner = owner_of_rule(rule, table) if table is not None else None
    if owner is not None:
        notes.append(f"[{owner.name}]")
    return notes
