"""Chains, sets and tables of nftables in `show -o json` (see `json`)."""

from __future__ import annotations

from typing import Any

from ipt_explain.analyzers.profiles.nft_chains import NftChainFacts, NftPlace, NftSetFacts, NftTableFacts
from ipt_explain.model import nft
from ipt_explain.model.nft.printing import element_text
from ipt_explain.netfilter.nft.jumps import NftJump
from ipt_explain.render.show.nft_words import NftWords, counter_of

_FAMILIES = {nft.TableFamily.IP: "ipv4", nft.TableFamily.IP6: "ipv6"}


def nft_table_json(facts: NftTableFacts) -> dict[str, Any]:
    """One table."""
    place = facts.place
    return {
        **_place(place),
        "chains": len(place.table.chains),
        "rules": facts.rules,
        "hooks": [
            {
                "chain": chain.name,
                "policy": chain.base.policy if chain.base is not None else None,
                "rules": len(chain.rules),
                "owners": {facts.owner or "": len(chain.rules)} if chain.rules else {},
            }
            for chain in place.graph.bases
        ],
        "owners": [
            {
                "name": facts.owner,
                "chains": sum(facts.chains.values()),
                "rules": facts.rules - sum(len(chain.rules) for chain in place.graph.bases),
                "names": dict(facts.chains),
            }
        ],
        "unreachable": list(facts.unreached),
        "dangling": [
            {"chain": jump.source, "target": jump.target, "line": place.line(jump.line)} for jump in facts.missing
        ],
        "cycles": [],
        "sets": {held.name: len(held.elements) for held in place.table.sets.values()},
    }


def nft_chain_json(facts: NftChainFacts) -> dict[str, Any]:
    """One chain."""
    place, chain = facts.place, facts.chain
    base = None if chain is None else chain.base
    words = NftWords(place)
    owner = None if facts.owner is None else {"name": facts.owner, "purpose": facts.purpose, "evidence": "its table"}
    return {
        **_place(place),
        "chain": facts.name,
        "line": None if chain is None else place.line(chain.line),
        "built_in": base is not None,
        "policy": None if base is None else base.policy,
        "exists": True if chain is not None else None if place.ruleset.fragment else False,
        "owner": owner,
        "reached_from": list(facts.hooks),
        "callers": [_caller(place, jump) for jump in facts.callers],
        "rules": [_rule(place, facts.name, rule, words) for rule in place.table.rules(facts.name)],
    }


def nft_set_json(facts: NftSetFacts) -> dict[str, Any]:
    """One set or map."""
    place, held = facts.place, facts.held
    return {
        **_place(place),
        "set": held.name,
        "line": place.line(held.line),
        "types": list(held.types),
        "data_types": None if held.data_types is None else list(held.data_types),
        "timeout_seconds": held.timeout,
        "whole": not held.elided,
        "asked_by": [{"chain": chain.name, "line": place.line(rule.line)} for chain, rule in facts.askers],
        "elements": [element_text(element) for element in held.elements],
    }


def _place(place: NftPlace) -> dict[str, Any]:
    return {
        "source": place.ruleset.source,
        "family": _FAMILIES.get(place.table.family),
        "backend": "nftables",
        "table": place.name,
    }


def _caller(place: NftPlace, jump: NftJump) -> dict[str, Any]:
    caller: dict[str, Any] = {"chain": jump.source, "line": place.line(jump.line), "goto": jump.goto}
    if jump.held is not None:
        caller["map"] = jump.held.name
    return caller


def _rule(place: NftPlace, chain: str, rule: nft.Rule, words: NftWords) -> dict[str, Any]:
    text, counter = words.rule(rule), counter_of(rule)
    target = next(iter(rule.of(nft.Verdict)), None)
    return {
        "line": place.line(rule.line),
        "chain": chain,
        "rule": rule.text,
        "command": "",
        "sentence": text.sentence,
        "conditions": list(text.conditions),
        "action": text.action,
        "after": text.after or None,
        "comments": list(text.comments),
        "target": None if target is None else target.chain or target.kind.value,
        "jumps_to": None if target is None else target.chain,
        "share": None,
        "packets": None if counter is None else counter.packets,
        "bytes": None if counter is None else counter.bytes,
    }
