"""Tables of nftables at a glance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.analyzers.profiles.nft_chains import NftTableFacts
from ipt_explain.model import nft
from ipt_explain.render.show.nft_chain import nft_origin
from ipt_explain.render.show.overview import named_list, titled
from ipt_explain.render.text.outline import TreeNode, sentence
from ipt_explain.render.text.safe import escape
from ipt_explain.render.text.terminal import to_text
from ipt_explain.words import counted


def nft_overview_text(tables: Sequence[NftTableFacts], width: int, color: bool) -> Iterator[str]:
    """The tables as text, in pieces."""
    placed = ((facts.place.ruleset, nft_origin(facts.place.ruleset), _table(facts)) for facts in tables)
    return to_text(titled(placed, width), color)


def _table(facts: NftTableFacts) -> TreeNode:
    place, table = facts.place, facts.place.table
    sizes = f"  {counted(len(table.chains), 'chain')}, {counted(facts.rules, 'rule')}"
    dormant = ", dormant: no packet meets it" if table.dormant else ""
    made = f", made by {facts.owner}" if facts.owner is not None else ""
    node = TreeNode([(escape(place.name), "name"), *sentence(escape(sizes + made + dormant))], hang=2)
    for chain in place.graph.bases:
        base = chain.base
        assert base is not None
        words = (
            f"  {counted(len(chain.rules), 'rule')}; hook {base.hook}, {base.type}, priority {base.priority}, policy "
        )
        node.children.append(
            TreeNode([(escape(chain.name), "name"), *sentence(escape(words + base.policy))[1:]], hang=2)
        )
    if facts.chains:
        names = [f"{name} × {count:,}" if name.endswith("…") else name for name, count in facts.chains.items()]
        node.children.append(named_list("other chains", names, ""))
    sets = [_set(held) for held in table.sets.values() if not _of_clients(held)]
    clients = sum(map(_of_clients, table.sets.values()))
    if clients:
        sets.append(f"{counted(clients, 'set')} that rules fill")
    if sets:
        node.children.append(named_list("sets", sets, ""))
    if facts.unreached:
        node.children.append(named_list("not reached from any hook", facts.unreached))
    missing = dict.fromkeys(_missing(facts))
    if missing:
        node.children.append(named_list("jumped to, but missing", tuple(missing)))
    return node


def _missing(facts: NftTableFacts) -> Iterator[str]:
    for jump in facts.missing:
        line = facts.place.line(jump.line)
        yield jump.target if line is None else f"{jump.target} (line {line})"


def _of_clients(held: nft.Set) -> bool:
    return bool(held.flags & {"dynamic", "timeout"})


def _set(held: nft.Set) -> str:
    return f"{held.name} ({counted(len(held.elements), 'element')})"
