"""Words for a step of a trace: why the rule matched, and what it did with the packet."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ipt_explain.model import Rule
from ipt_explain.netfilter.nat import destination_text
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.walk.path import AnyStep, Step
from ipt_explain.netfilter.whereabouts import address_text
from ipt_explain.render.english.glossary import Glossary
from ipt_explain.render.english.rule import rule_words
from ipt_explain.words import both

# The tree shows chances as shares of packets.
_CHANCE = re.compile(r"is (not )?(picked |left over by a random pick|packet \d+ of every)")


def _conditions(rule: Rule, marks: Mapping[int, str]) -> str:
    """Why the rule matched, as a predicate; "" for a rule without conditions."""
    words = rule_words(rule, Glossary(marks)).conditions
    return both([condition for condition in words if not _CHANCE.match(condition)])


def step_conditions(step: AnyStep, marks: Mapping[int, str]) -> str:
    """Why a rule matched; "" for a policy."""
    if not isinstance(step, Step):
        from ipt_explain.render.trace.other_words import other_conditions

        return other_conditions(step)
    return "" if step.rule is None else _conditions(step.rule, marks)


def effect(step: AnyStep, marks: Mapping[int, str]) -> str:
    """What the rule did with the packet."""
    if not isinstance(step, Step):
        from ipt_explain.render.trace.other_words import other_effect

        return other_effect(step)
    if step.rule is None:
        return f"no rule of {step.chain.name} decided: policy {step.chain.policy}"
    target, before, after = step.rule.target, step.before, step.after
    if target in ("MARK", "CONNMARK") and after is not None:
        return _marked(target, before, after, marks)
    if (
        target in ("DNAT", "REDIRECT", "NETMAP")
        and after is not None
        and after.destination_decided > before.destination_decided
    ):
        return f"{target} to {destination_text(step.to_after, after.connection.family)}"
    if target == "MASQUERADE":
        return "MASQUERADE: the source becomes the address of the interface it leaves by"
    if target in ("SNAT", "NETMAP") and after is not None:
        return f"{target}: the source becomes {address_text(after.source, after.connection.family)}"
    return _VERDICTS.get(target or "") or _other(step.rule, marks)


def _marked(target: str, before: PacketState, after: PacketState, marks: Mapping[int, str]) -> str:
    if before.mark == after.mark and before.connmark == after.connmark:
        return f"{target}: the mark stays 0x{after.mark:x}"
    if before.connmark != after.connmark:
        return f"sets the connection's mark to 0x{after.connmark:x}"
    changed = before.mark ^ after.mark
    name = marks.get(changed)
    if changed & after.mark == changed:
        meaning = {"the masquerade mark": ": it will be masqueraded", "the drop mark": ": it will be dropped"}.get(
            name or "", ""
        )
        return f"marks the packet 0x{changed:x}{meaning or _aside(name)}"
    if changed & before.mark == changed:
        return f"clears mark 0x{changed:x}{_aside(name)}"
    return f"changes the mark from 0x{before.mark:x} to 0x{after.mark:x}"


def _aside(name: str | None) -> str:
    return f" ({name})" if name else ""


def _other(rule: Rule, marks: Mapping[int, str]) -> str:
    if rule.target is None:
        return "counts it"
    known = rule.shape.target is not None and rule.shape.target.name is not None
    if known:
        return rule_words(rule, Glossary(marks)).action
    return f"{'→→' if rule.is_goto else '→'} {rule.target}"


_VERDICTS = {
    "ACCEPT": "ACCEPT: leaves this table",
    "DROP": "DROP",
    "RETURN": "RETURN to the calling chain",
}
