"""The picture of nftables' chains: jumps, and the elements of maps that lead from chain to chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.analyzers.profiles.nft_chains import NftPlace, owner_of_chain
from ipt_explain.model import nft
from ipt_explain.model.nft.printing import expression_text, statement_text
from ipt_explain.netfilter.nft.jumps import NftJump
from ipt_explain.records import Record
from ipt_explain.render.graph.drawing import BUILT_IN, CHAIN, MISSING, UNKNOWN, Drawing, DrawnChain, DrawnJump
from ipt_explain.render.graph.iptables_drawing import SHOWN_ENDS
from ipt_explain.render.graph.notes import Notes, shortened
from ipt_explain.render.text.safe import escape
from ipt_explain.words.percents import percent


class NftPart(Record, eq=False):
    """The chains of a table, by name, and the jumps to draw."""

    place: NftPlace
    chains: Sequence[str]
    jumps: Sequence[NftJump]


def nft_drawing(parts: Sequence[NftPart], notes: Notes) -> Drawing:
    """Draw tables, or parts of them, with notes on Services and faults."""
    chains: list[DrawnChain] = []
    jumps: list[DrawnJump] = []
    for group, part in zip(_groups(parts), parts):
        chains += [_chain(group, part.place, name, notes) for name in part.chains]
        jumps += [_jump(group, part.place, jump, number, notes) for number, jump in enumerate(part.jumps, start=1)]
    return Drawing(chains, jumps)


def _groups(parts: Sequence[NftPart]) -> list[str]:
    """`ip kube-proxy`, prefixed with its source if the table occurs several times."""
    plain = [escape(part.place.name) for part in parts]
    if len(set(plain)) == len(plain):
        return plain
    sources = [escape(part.place.ruleset.source) for part in parts]
    return [f"{number}/{source}/{name}" for number, (source, name) in enumerate(zip(sources, plain), start=1)]


def _chain(group: str, place: NftPlace, name: str, notes: Notes) -> DrawnChain:
    chain = place.table.chains.get(name)
    source, family = place.ruleset.source, "ipv6" if place.table.family is nft.TableFamily.IP6 else "ipv4"
    owner, purpose = owner_of_chain(place.table, name)
    faults = notes.of_faults(source, family, place.name)
    return DrawnChain(
        f"{group}/{escape(name)}",
        group,
        escape(name),
        _kind(place, chain),
        owner,
        purpose,
        len(chain.rules) if chain is not None else 0,
        _ends(chain) if chain is not None else (),
        place.line(chain.line) if chain is not None else None,
        notes.of_chains(source, family).get(name) if owner == "kube-proxy" else None,
        notes.of_faults(source, family, place.table.name).get(name, faults.get(name, ())),
    )


def _kind(place: NftPlace, chain: nft.Chain | None) -> str:
    if chain is not None:
        return CHAIN if chain.base is None else BUILT_IN
    return UNKNOWN if place.ruleset.fragment else MISSING


def _ends(chain: nft.Chain) -> tuple[str, ...]:
    """The actions of its rules other than jumps."""
    found = list(dict.fromkeys(end for rule in chain.rules for end in _ends_of(rule)))
    ends = found[:SHOWN_ENDS] + (["…"] if len(found) > SHOWN_ENDS else [])
    return tuple(ends) if chain.base is None else (*ends, f"policy {chain.base.policy}")


def _ends_of(rule: nft.Rule) -> Iterator[str]:
    for statement in rule.statements:
        ends = isinstance(statement, (nft.Nat, nft.Reject, nft.Mangle)) or (
            isinstance(statement, nft.Verdict) and statement.chain is None
        )
        if ends:
            yield shortened(escape(statement_text(statement)))


def _jump(group: str, place: NftPlace, jump: NftJump, number: int, notes: Notes) -> DrawnJump:
    return DrawnJump(
        f"{group}/{escape(jump.source)}",
        f"{group}/{escape(jump.target)}",
        place.line(jump.line),
        jump,
        escape(_label(jump)),
        jump.goto,
        jump.share,
        place.ruleset.has_lines and jump.rule.line in notes.faulty_lines(place.ruleset.source),
        number,
    )


def _label(jump: NftJump) -> str:
    """The conditions for a packet to go this way, or its chance."""
    parts = [statement_text(each) for each in jump.rule.of(nft.Match)]
    if jump.share is not None:
        parts.append(percent(jump.share))
    elif jump.element is not None:
        parts.append(expression_text(jump.element.key))
    return " ".join(parts)
