"""`show` as JSON, schema ipt-explain/show/1. Keys are stable: some may be added, none renamed or dropped.

    {"schema": "ipt-explain/show/1",
     "tables": [{"source", "family", "backend", "table", "chains", "rules",
                 "hooks": [{"chain", "policy", "rules", "owners": {"kube-proxy": 1}}],
                 "owners": [{"name" (null if unknown), "chains", "rules", "names": {"KUBE-SVC-…": 3}}],
                 "unreachable": ["…"], "dangling": [{"chain", "target", "line"}], "cycles": [["A", "B"]]}],
     "chains": [{"source", "family", "backend", "table", "chain", "line", "built_in", "policy",
                 "exists" (null: unknown), "owner": {"name", "purpose", "evidence"} or null,
                 "reached_from": ["PREROUTING"], "callers": [{"chain", "line", "goto"}], "rules": [rule]}],
     "sets": [{"source", "family", "backend", "table", "set", "line", "types", "data_types", "timeout_seconds", "whole",
               "asked_by": [{"chain", "line"}], "elements": ["…"]}],
     "rules": [rule]}

where a rule is {"line", "chain", "rule", "command" ("-A"), "sentence", "conditions", "action", "after", "comments",
"target", "jumps_to", "share", "packets", "bytes"}; its share is of what reaches the chain's `statistic` rules. `tables`
is filled if no name is given, `chains` and `sets` if some are, `rules` by `--rule`. A hook's owner "" is unknown. For
nftables, a table has its family in front (`ip kube-proxy`) and its `sets` with their sizes, base chains are `built_in`,
a caller by way of a map names the `map`, `command` is "", and lines are null if the text was JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain as joined
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from ipt_explain.analyzers.owners.owner import Owner
from ipt_explain.analyzers.profiles.chains import ChainFacts, TablePlace
from ipt_explain.analyzers.profiles.nft_chains import NftChainFacts, NftSetFacts, NftTableFacts
from ipt_explain.analyzers.profiles.tables import HookFacts, TableFacts
from ipt_explain.model import Rule
from ipt_explain.render.english.edge_labels import rule_shares
from ipt_explain.render.english.glossary import NOTHING_KNOWN, Glossary
from ipt_explain.render.english.rule import RuleWords, rule_words
from ipt_explain.render.json_text import json_text
from ipt_explain.render.show.chain_words import ChainWords
from ipt_explain.render.show.nft_json import nft_chain_json, nft_set_json, nft_table_json
from ipt_explain.services.json_columns import text_or_null

SCHEMA = "ipt-explain/show/1"


def show_json(
    tables: Sequence[TableFacts] = (),
    chains: Sequence[ChainFacts] = (),
    rules: Iterable[Rule] = (),
    glossary: Glossary = NOTHING_KNOWN,
    nft_tables: Sequence[NftTableFacts] = (),
    nft_chains: Sequence[NftChainFacts] = (),
    nft_sets: Sequence[NftSetFacts] = (),
) -> Iterator[str]:
    """The JSON text in pieces: ASCII, each object of an array on a line of its own."""
    words = {id(facts.place): ChainWords(facts.place) for facts in chains}
    of_iptables = (_chain(facts, words[id(facts.place)]) for facts in chains)
    yield f'{{"schema": "{SCHEMA}"'
    yield from _array("tables", [*map(_table, tables), *map(nft_table_json, nft_tables)])
    yield from _array("chains", joined(of_iptables, map(nft_chain_json, nft_chains)))
    yield from _array("sets", map(nft_set_json, nft_sets))
    yield from _array("rules", (_rule(rule, rule_words(rule, glossary), _names_chain(rule)) for rule in rules))
    yield "}\n"


def _array(key: str, members: Iterable[dict[str, Any] | str]) -> Iterator[str]:
    """A key and its array, to follow other keys. A member may be JSON already. The rules of a chain are written one by
    one."""
    yield f', "{key}": ['
    before = "\n"
    for member in members:
        rules = member.pop("rules") if key == "chains" and not isinstance(member, str) else None
        text = before + (member if isinstance(member, str) else json_text(member))
        if rules is None:
            yield text
        else:
            yield text[:-1]
            yield from _array("rules", rules)
            yield "}"
        before = ",\n"
    yield "]"


def _place(place: TablePlace) -> dict[str, Any]:
    ruleset = place.ruleset
    return {
        "source": ruleset.source,
        "family": ruleset.family.value,
        "backend": ruleset.backend.value if ruleset.backend is not None else None,
        "table": place.table.name,
    }


def _table(facts: TableFacts) -> dict[str, Any]:
    table = facts.place.table
    return {
        **_place(facts.place),
        "chains": len(table.chains),
        "rules": table.rule_count,
        "hooks": [_hook(hook) for hook in facts.hooks],
        "owners": [
            {"name": one.owner, "chains": one.chain_count, "rules": one.rules, "names": dict(one.chains)}
            for one in facts.possessions
        ],
        "unreachable": list(facts.unreachable),
        "dangling": [{"chain": jump.source, "target": jump.target, "line": jump.line} for jump in facts.dangling],
        "cycles": [list(cycle.path) for cycle in facts.cycles],
    }


def _hook(hook: HookFacts) -> dict[str, Any]:
    owners: dict[str, int] = {}
    for _, owner in hook.rules:
        name = owner.name if owner is not None else ""
        owners[name] = owners.get(name, 0) + 1
    return {
        "chain": hook.chain.name,
        "policy": hook.chain.policy,
        "rules": len(hook.chain.rules),
        "owners": owners,
    }


def _chain(facts: ChainFacts, words: ChainWords) -> dict[str, Any]:
    chain = facts.chain
    share_of = rule_shares(chain) if chain is not None else {}
    jumping = facts.place.graph.jumping(facts.name)
    return {
        **_place(facts.place),
        "chain": facts.name,
        "line": chain.line if chain is not None else None,
        "built_in": facts.built_in,
        "policy": chain.policy if chain is not None else None,
        "exists": True if chain is not None else None if facts.place.ruleset.fragment else False,
        "owner": _owner(facts.owner),
        "reached_from": list(facts.hooks),
        "callers": [{"chain": jump.source, "line": jump.line, "goto": jump.goto} for jump in facts.callers],
        "rules": (
            _rule(rule, words.rule(rule), number in jumping, share_of.get(number))
            for number, rule in enumerate(chain.each_rule() if chain is not None else ())
        ),
    }


def _owner(owner: Owner | None) -> dict[str, str] | None:
    if owner is None:
        return None
    return {"name": owner.name, "purpose": owner.purpose, "evidence": owner.evidence}


def _rule(rule: Rule, words: RuleWords, jumps: bool, share: float | None = None) -> str:
    """A rule as JSON, written without a dictionary: a chain may have a hundred thousand."""
    target = text_or_null(rule.target)
    packets, size = ("null", "null") if rule.counters is None else (rule.counters.packets, rule.counters.bytes)
    return (
        f'{{"line": {rule.line}, "chain": {quoted(rule.chain)}, "rule": {quoted(rule.text)}'
        f', "command": {quoted(rule.shape.command.value)}, "sentence": {quoted(words.sentence)}'
        f', "conditions": [{", ".join(map(quoted, words.conditions))}], "action": {quoted(words.action)}'
        f', "after": {text_or_null(words.after or None)}, "comments": [{", ".join(map(quoted, words.comments))}]'
        f', "target": {target}, "jumps_to": {target if jumps else "null"}'
        f', "share": {"null" if share is None else share}, "packets": {packets}, "bytes": {size}}}'
    ).replace("\x7f", "\\u007f")


def _names_chain(rule: Rule) -> bool:
    """Whether a rule jumps, judged by its text alone: the grammar does not know its target, and it has no options."""
    target = rule.shape.target
    return target is not None and target.slot is not None and not target.options
