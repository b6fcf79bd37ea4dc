"""Chains of nftables: what they are for, what leads to them, and their rules as nft prints them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.analyzers.nftables.names import ChainKind
from ipt_explain.analyzers.profiles.nft_chains import NftCaller, NftChainFacts
from ipt_explain.render.text.outline import Line, Node, Span, draw, sentence
from ipt_explain.render.text.safe import escape
from ipt_explain.render.text.terminal import to_text
from ipt_explain.words.counts import counted
from ipt_explain.words.families import source_name
from ipt_explain.words.quotes import clipped

_LABEL = 11
_SHOWN_CALLERS = 8
_PURPOSES = {
    ChainKind.SERVICE: "spreads connections over all endpoints of {}",
    ChainKind.LOCAL: "spreads connections over the endpoints of {} on this node",
    ChainKind.EXTERNAL: "connections to external addresses and node ports of {}",
    ChainKind.FIREWALL: "source ranges of {}",
    ChainKind.ENDPOINT: "one endpoint of {}",
}


def nft_chains_text(chains: Sequence[NftChainFacts], width: int, color: bool) -> Iterator[str]:
    """The chains as text, in pieces."""
    return to_text(_lines(chains, width), color)


def _lines(chains: Sequence[NftChainFacts], width: int) -> Iterator[Line]:
    for number, facts in enumerate(chains):
        if number:
            yield []
        yield from draw(_chain(facts), width)


def _chain(facts: NftChainFacts) -> Node:
    table, chain = facts.table, facts.chain
    parts = [f"{table.family.value} {table.name}", source_name(facts.ruleset.source), "nftables"]
    origin = " · ".join(filter(None, parts))
    name: Span = (escape(clipped(chain.name)), "name")
    node = Node([name, *sentence(escape(f" · {origin}"))], tail=_line(facts, chain.line), hang=2)
    if facts.is_proxys:
        node.children.append(_entry("owner", "kube-proxy"))
    if facts.known is not None:
        port = facts.known.port
        node.children.append(_entry("purpose", _PURPOSES[facts.known.kind].format(port.spelled)))
    elif chain.comment:
        node.children.append(_entry("comment", chain.comment))
    if chain.base is not None:
        base = chain.base
        node.children.append(_entry("hook", f"{base.hook}, type {base.type}, priority {base.priority}"))
        node.children.append(_entry("policy", base.policy))
    for caller in facts.callers[:_SHOWN_CALLERS]:
        node.children.append(_entry("called by", _caller(caller), _line(facts, caller.line)))
    more = len(facts.callers) - _SHOWN_CALLERS
    if more > 0:
        node.children.append(_entry("called by", counted(more, "more rule or element")))
    if chain.base is None and not facts.callers:
        node.children.append(_entry("called by", "nothing leads here"))
    rules = _entry("rules", f"{len(chain.rules):,}" if chain.rules else "none: packets come back at once")
    digits = len(f"{len(chain.rules)}")
    for number, rule in enumerate(chain.rules, start=1):
        spans: list[Span] = [(f"{number:<{digits}}  ", "guide"), *sentence(escape(rule.text))]
        rules.children.append(Node(spans, tail=_line(facts, rule.line), hang=digits + 2))
    node.children.append(rules)
    return node


def _caller(caller: NftCaller) -> str:
    return caller.chain if caller.chain is not None else f"map {caller.held}"


def _entry(label: str, words: str, tail: str = "") -> Node:
    return Node([(label.ljust(_LABEL), "guide"), *sentence(escape(clipped(words)))], tail=tail, hang=_LABEL)


def _line(facts: NftChainFacts, line: int) -> str:
    return f"line {line}" if facts.ruleset.has_lines and line else ""
