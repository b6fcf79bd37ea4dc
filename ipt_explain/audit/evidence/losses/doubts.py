"""What may lose connections to Services, depending on what the dump does not show."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from ipt_explain.analyzers.fates.deciding import KUBE_PROXY
from ipt_explain.analyzers.owners.owner import KERNEL
from ipt_explain.audit.backends import BackendContext, NftContext
from ipt_explain.audit.evidence.losses.causes import Cause, possible_causes, unknown_causes
from ipt_explain.audit.evidence.losses.places import LossPlace
from ipt_explain.records import replace
from ipt_explain.services.fates import Loss, Vantage, depending_on
from ipt_explain.services.losses import at_other_address

_NOBODYS = frozenset({None, KERNEL, KUBE_PROXY})


def doubts(context: BackendContext) -> list[list[Cause]]:
    """Possible causes of losses: each rule or policy by itself, the rules of one program together."""
    found: dict[Hashable, list[Cause]] = {}
    possible = [cause for where in LossPlace for cause in possible_causes(context, where)]
    for cause in filter(None, map(_yet_untold, (*possible, *filter(_is_hidden, unknown_causes(context))))):
        owner = cause.decider.owner
        found.setdefault(cause.decider if owner in _NOBODYS else (owner, cause.context), []).append(cause)
    return list(found.values())


def _is_hidden(cause: Cause) -> bool:
    """Whether it is a rule that does what no dump shows, as `-j NFQUEUE` and `queue` do; of jumps and lookups, the text
    lacks a chain or elements."""
    if isinstance(cause.context, NftContext):
        from ipt_explain.model import nft

        rule = cause.context.rule_of(cause.decider) if cause.is_rule else None
        return rule is not None and not isinstance(rule.last, (nft.Verdict, nft.VerdictMap, nft.Xtables))
    target = None if cause.rule is None else cause.rule.shape.target
    return target is not None and target.slot is None


def _yet_untold(cause: Cause) -> Cause | None:
    """The cause without node ports at addresses that --nodeport-addresses leaves out, and without what filter does to
    endpoints on this node, which IPT601 tells; None if nothing is left."""
    by_filter = cause.where is LossPlace.FILTER
    victims = tuple([
        each
        for each in cause.victims
        if not at_other_address(each.frontend, each.lost)
        and not (by_filter and each.vantage is Vantage.POD and each.lost.is_here(each.frontend.address))
    ])
    return replace(cause, victims=victims) if victims else None


def doubted_questions(causes: Iterable[Cause]) -> Sequence[str]:
    """What they depend on: "`-m rpfilter --invert`", "whether 10.0.0.1 is an address of this node". Parts of rules are
    in backticks, as they may hold commas and `and`."""
    lost = [victim.lost for each in causes for victim in each.victims]
    asked = dict.fromkeys(question for each in lost for assumed in each.when for question in assumed.questions)
    reasons = dict.fromkeys(each.why for each in lost if each.how is Loss.UNKNOWN)
    return tuple(dict.fromkeys((*map(depending_on, asked), *reasons)))
