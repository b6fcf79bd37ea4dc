"""Commands that change rules, next to outputs that show what the rules are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.parsing.iptables.assembly import TableBuilder


def leave_out_shown(commanded: Sequence[TableBuilder], sections: Sequence[TableBuilder]) -> list[int]:
    """Takes out of sections that commands make the chains that outputs among all `sections` declare: a text tells what
    its author tried or advises, an output what the node has. Returns the lines of the rules that are gone."""
    outputs = [section for section in sections if not any(section is each for each in commanded)]
    return sorted(line for each in commanded for line in _left_out(each, outputs))


def _left_out(commanded: TableBuilder, outputs: Sequence[TableBuilder]) -> Iterator[int]:
    for name in list(commanded.chains):
        if any(other.name in (None, commanded.name) and other.declares(name) for other in outputs):
            yield from [rule.line for rule in commanded.rules() if rule.chain == name]
            del commanded.chains[name]
