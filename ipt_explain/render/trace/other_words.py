"""Words for a step of a trace outside iptables: an nftables rule, or an IPVS virtual server."""

from __future__ import annotations

from ipt_explain.model import nft
from ipt_explain.model.nft.printing import expression_text, statement_text
from ipt_explain.netfilter.nat import destination_text
from ipt_explain.netfilter.walk.backends.ipvs_path import IpvsStep
from ipt_explain.netfilter.walk.backends.nft_path import NftStep


def other_conditions(step: NftStep | IpvsStep) -> str:
    """An nftables rule's conditions as nft prints them, or the virtual server."""
    if isinstance(step, IpvsStep):
        return step.text
    parts: list[str] = []
    for statement in step.rule.statements if step.rule is not None else ():
        if isinstance(statement, nft.VerdictMap) and isinstance(statement.data, nft.SetLiteral):
            parts.append(f"{expression_text(statement.key)} vmap {{…}}")
        elif isinstance(statement, (nft.Match, nft.VerdictMap)):
            parts.append(statement_text(statement))
    return " ".join(parts)


def other_effect(step: NftStep | IpvsStep) -> str:
    """What the step did with the packet."""
    after = step.after
    if isinstance(step, IpvsStep):
        if not step.after.destination_decided:
            return "no real server takes it: refused with port-unreachable"
        if not step.after.dnat:
            return "IPVS sends it on unchanged, by direct routing or a tunnel"
        return f"IPVS sends it to {destination_text(step.to_after, step.after.connection.family)}"
    if step.rule is None:
        return f"no rule of {step.chain.name} decided: {step.text}"
    if step.into is not None:
        return f"→ {step.into.name}"
    last = step.rule.last
    if after is not None and after.destination_decided > step.before.destination_decided:
        return f"DNAT to {destination_text(step.to_after, after.connection.family)}"
    if isinstance(last, nft.Nat):
        return f"{statement_text(last)}: its source is rewritten"
    if isinstance(last, nft.Mangle) and after is not None and after.mark != step.before.mark:
        return f"changes the mark from 0x{step.before.mark:x} to 0x{after.mark:x}"
    if isinstance(last, nft.VerdictMap):
        return "goes on" if step.verdict is None else step.verdict.value
    return "goes on" if last is None else statement_text(last)
