"""Lost connections as faults: `this rule drops all connections from pods to shop/web (10.96.0.7:80)`."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.analyzers.owners.owner import KERNEL
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.losses.causes import ALL, Cause
from ipt_explain.audit.evidence.losses.doubts import doubted_questions
from ipt_explain.audit.findings.fault import Fault
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.records import replace
from ipt_explain.services.fates import ACCEPTED_FIRST, PAST_IPVS, CutOff, Loss, Vantage
from ipt_explain.words import both, front, within
from ipt_explain.words.percents import percent

FIX_POLICY = "Set the policy to ACCEPT, or accept Service traffic in this chain."
_NAMED = 3
_ASKED = 2
_MOST_LINES = 50
_STOPS = {Loss.DROPPED: ("drop", "dropped"), Loss.REJECTED: ("refuse", "rejected")}
_CUTS = {
    CutOff.REPLIES_DROPPED: ("drop", "replies to"),
    CutOff.REPLIES_REJECTED: ("refuse", "replies to"),
    CutOff.REPLIES_UNRECOGNISED: ("keep", "connection tracking from recognising replies to"),
    CutOff.LATER_DROPPED: ("drop", "later packets of"),
    CutOff.LATER_REJECTED: ("refuse", "later packets of"),
    CutOff.LATER_UNRECOGNISED: ("keep", "connection tracking from recognising later packets of"),
}


def fault_of(cause: Cause, fix: str, severity: Severity | None = None, elsewhere: bool = False) -> Fault:
    """The fault for a cause: `this rule drops all connections from pods to shop/web (10.96.0.7:80)`."""
    return Fault(
        f"{_subject(cause, _of(cause, elsewhere))} {_deed(cause)}",
        fix,
        cause.place,
        services=cause.services,
        related=() if elsewhere else cause.related[:_MOST_LINES],
        severity=severity or cause.severity,
        impact=cause.impact,
        context=cause.context if elsewhere or cause.context is not cause.served_by else None,
    )


def doubt_of(causes: Sequence[Cause], fix: str, severity: Severity) -> Fault:
    """The fault for what one rule, or one program's rules, may do: `this rule may drop connections from pods to
    shop/web (10.96.0.7:80), depending on -m rpfilter --invert, which the dump does not show`."""
    first, *others = causes
    whole = replace(first, victims=tuple(victim for each in causes for victim in each.victims))
    elsewhere = first.context is not first.served_by and isinstance(first.context, RulesetContext)
    fault = fault_of(first, fix, severity, elsewhere)
    several = len({cause.decider for cause in causes}) > 1
    who = f"{first.decider.owner}'s rules" if several else _subject(first, _of(first, elsewhere))
    asked = within(doubted_questions(causes), _ASKED)
    return replace(
        fault,
        message=f"{who} {_deed(whole, may=True)}, depending on {asked}, which the dump does not show",
        services=whole.services,
        related=tuple(each.place.line for each in others if each.place.line is not None),
    )


def deed_of(cause: Cause, may: bool) -> str:
    """What a cause does, and to whom: `drops all connections from pods to shop/web (10.96.0.7:80)`. If it `may`, only
    if something holds that the dump does not show: `may drop …, depending on -s 10.0.0.0/8`."""
    deed = _deed(cause, may)
    return f"{deed}, depending on {within(doubted_questions([cause]), _ASKED)}" if may else deed


def _of(cause: Cause, elsewhere: bool) -> str:
    return f" of {cause.context.backend.title}" if elsewhere and cause.context.backend is not None else ""


def _subject(cause: Cause, of: str) -> str:
    """Who does it."""
    owner = cause.decider.owner
    whose = f" ({owner})" if owner not in (None, KERNEL) else ""
    name = cause.decider.place
    if cause.decider.table == "ipvs":
        return f"IPVS{whose}" if cause.decider.line is None else f"this virtual server{whose}"
    if cause.is_rule:
        return f"this rule{of}{whose}"
    if cause.is_policy:
        return f"the policy of {name}{of}"
    return f"{name}{of}"


def _deed(cause: Cause, may: bool = False) -> str:
    """What it does, or may do, and to whom."""
    first = max(cause.victims, key=lambda victim: victim.lost.how is not Loss.UNANSWERED)  # what is lost first
    lost, hit, does = first.lost, _hit(cause, may), "may {}" if may else "{}s"
    if lost.how in _STOPS:
        stop, evident = _STOPS[lost.how]
        return f"{does.format(stop)} {hit}{'' if lost.why == evident else f', as {lost.why}'}"
    if lost.how is Loss.UNANSWERED:
        stop, what = _CUTS[CutOff(lost.why)]
        return f"{does.format(stop)} {what} {hit}"
    if lost.how is Loss.UNKNOWN:
        return f"{does.format('stop')} {hit}"
    if lost.how is Loss.DIVERTED:
        places = dict.fromkeys(victim.lost.dnat or "elsewhere" for victim in cause.victims)
        which = "which are not endpoints" if len(places) > 1 else "which is not an endpoint"
        return f"{does.format('send')} {hit} to {within(places, _NAMED)}, {which}"
    if lost.why == PAST_IPVS:
        return f"{'may miss' if may else 'misses'} {hit}, as the address is not the node's: they leave untranslated"
    if lost.why == ACCEPTED_FIRST:
        return f"{does.format('accept')} {hit} before kube-proxy refuses them: they leave untranslated"
    if not cause.is_rule:
        return f"{does.format('choose')} no endpoint for {hit}: they leave untranslated"
    if cause.decider.table == "raw":
        return f"{does.format('exempt')} {hit} from connection tracking, and so from NAT"
    return f"{does.format('let')} {hit} pass untranslated"


def _hit(cause: Cause, may: bool) -> str:
    """What is lost, in words: `all connections from pods to shop/web (10.96.0.7:80)`."""
    seen = {victim.vantage for victim in cause.victims}
    origins = both([vantage.origin for vantage in Vantage if vantage in seen])
    fronts = dict.fromkeys(
        f"{victim.service.label} ({front(victim.frontend.address, victim.frontend.port)})" for victim in cause.victims
    )
    return f"{'connections' if may else _share(cause)} from {origins} to {within(fronts, _NAMED, 'address')}"


def _share(cause: Cause) -> str:
    if any(victim.lost.when for victim in cause.victims):
        return "some connections"
    least, most = (pick(cause.shares.values()) for pick in (min, max))
    if least >= ALL:
        return "all connections"
    if most - least <= 1 - ALL:
        return f"{percent(most)} of connections"
    return f"{percent(least)} to {percent(min(most, 1.0) if most < ALL else 1.0)} of connections"
