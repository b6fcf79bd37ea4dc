"""Chains and sets of nftables in plain English: their author, purpose and callers, and what each rule does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.analyzers.profiles.nft_chains import NftChainFacts, NftPlace, NftSetFacts
from ipt_explain.model import nft
from ipt_explain.model.nft.printing import element_text, expression_text
from ipt_explain.netfilter.nft.jumps import NftJump
from ipt_explain.render.show.entries import SHOWN_CALLERS, WIDEST, chain_text, entry, rule_count, rule_entry, users
from ipt_explain.render.show.nft_words import NftWords, counter_of
from ipt_explain.render.text.listing import list_text
from ipt_explain.render.text.outline import Span, TreeNode, after_dots, line_tail
from ipt_explain.render.text.safe import escape
from ipt_explain.words import both, counted, source_name
from ipt_explain.words.quotes import cited, clipped


def nft_chains_text(
    chains: Sequence[NftChainFacts], sets: Sequence[NftSetFacts], width: int, color: bool
) -> Iterator[str]:
    """The chains and sets as text, in pieces."""
    texts = [_of_chain(facts, width, color) for facts in chains] + [_of_set(facts, width, color) for facts in sets]
    for number, text in enumerate(texts):
        if number:
            yield "\n"
        yield from text


def _of_chain(facts: NftChainFacts, width: int, color: bool) -> Iterator[str]:
    place, words = facts.place, NftWords(facts.place)
    rules = place.table.rules(facts.name)
    entries = (
        rule_entry(number, words.rule(rule).brief, _notes(rule), _line(place, rule.line))
        for number, rule in enumerate(rules, 1)
    )
    return chain_text(_chain(facts, words), entries, len(rules), width, color)


def _of_set(facts: NftSetFacts, width: int, color: bool) -> Iterator[str]:
    place, words = facts.place, NftWords(facts.place)
    entries = (
        ("", [(escape(clipped(_element(element, words))), "")], _line(place, element.line))
        for element in facts.held.elements
    )
    return list_text(_set(facts, words), entries, 0, min(width, WIDEST), color)


def _chain(facts: NftChainFacts, words: NftWords) -> TreeNode:
    place, chain = facts.place, facts.chain
    node = _title(place, facts.name, 0 if chain is None else chain.line)
    if facts.owner is not None:
        node.children.append(entry("owner", facts.owner))
    if facts.purpose is not None:
        node.children.append(entry("purpose", facts.purpose))
    if chain is not None and chain.comment:
        node.children.append(entry("comment", chain.comment))
    node.children += _reached(facts)
    node.children += _callers(place, facts.callers, words)
    count = None if chain is None else len(chain.rules)
    node.children.append(rule_count(count, chain is not None and chain.base is not None, place.ruleset.fragment))
    return node


def _title(place: NftPlace, name: str, line: int) -> TreeNode:
    shown: Span = (escape(clipped(name)), "name")
    where = f" · {place.name} · {nft_origin(place.ruleset)}"
    return TreeNode([shown, *after_dots(escape(where))], tail=_line(place, line), hang=2)


def nft_origin(ruleset: nft.Ruleset) -> str:
    """Where a ruleset comes from: source and backend."""
    return " · ".join(filter(None, [source_name(ruleset.source), "nftables"]))


def _reached(facts: NftChainFacts) -> Iterator[TreeNode]:
    base = None if facts.chain is None else facts.chain.base
    if base is not None:
        yield entry("hook", f"{base.hook}, type {base.type}, priority {base.priority}")
        yield entry("policy", f"{base.policy}, for packets that no rule decides on")
    elif facts.hooks:
        yield entry("reached", f"from {both(facts.hooks)}")
    elif facts.place.ruleset.fragment:
        yield entry("reached", "this input does not show from where")
    else:
        yield entry("reached", "by no packet: no base chain leads here")


def _callers(place: NftPlace, callers: Sequence[NftJump], words: NftWords) -> Iterator[TreeNode]:
    shown = [(_caller(jump, words), _line(place, jump.line)) for jump in callers[:SHOWN_CALLERS]]
    return users("called by", shown, len(callers), "more rule or element")


def _caller(jump: NftJump, words: NftWords) -> str:
    if jump.held is not None and jump.element is not None:
        return f"{jump.source}, by map {jump.held.name} for {expression_text(jump.element.key)}"
    text = jump.source
    if jump.goto:
        text += ", for good (goto)"
    conditions = words.rule(jump.rule).conditions
    return text + (f", if a packet {both(conditions)}" if conditions else "")


def _notes(rule: nft.Rule) -> Iterator[str]:
    """Notes after a rule's sentence: its comment and its counters."""
    if rule.comment is not None:
        yield cited(clipped(rule.comment))
    counter = counter_of(rule)
    if counter is not None and counter.packets is not None:
        yield f"[{counted(counter.packets, 'packet')}]"


def _set(facts: NftSetFacts, words: NftWords) -> TreeNode:
    place, held = facts.place, facts.held
    kind = "map" if held.is_map else "set"
    node = _title(place, f"{kind} {held.name}", held.line)
    if held.comment:
        node.children.append(entry("comment", held.comment))
    types = " . ".join(held.types)
    if held.data_types is not None:
        types += f" : {' . '.join(held.data_types)}"
    node.children.append(entry("type", types))
    if held.timeout is not None:
        node.children.append(entry("timeout", f"{held.timeout:,} s"))
    askers = facts.askers[:SHOWN_CALLERS]
    shown = [(f"{chain.name}: {words.rule(rule).brief}", _line(place, rule.line)) for chain, rule in askers]
    node.children += users("used by", shown, len(facts.askers), "more rule")
    if not facts.askers:
        node.children.append(entry("used by", "no rule of this input"))
    size = f"{len(held.elements):,}" if held.elements else "none"
    node.children.append(entry("elements", f"{size}, and others that this input leaves out" if held.elided else size))
    return node


def _element(element: nft.Element, words: NftWords) -> str:
    text = element_text(element)
    if isinstance(element.data, nft.Verdict) and element.data.chain is not None:
        return f"{text} ({words.folded(element.data.chain)})"
    return text


def _line(place: NftPlace, line: int) -> str:
    return line_tail(place.line(line))
