"""filter KUBE-FORWARD: which Service traffic it accepts and drops.

Facts: pkg/proxy/iptables/proxier.go. INVALID packets are dropped first (1.15 and later; from 1.29 on unless
nf_conntrack_tcp_be_liberal is set). Marked packets are accepted, and so are packets of known connections: those from
and to --cluster-cidr up to 1.17, all from 1.18 on.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import FORWARD
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.conditions import asked_states, conditions_of, state_option
from ipt_explain.audit.fact import fact
from ipt_explain.model import Chain, Rule
from ipt_explain.records import Record

_KNOWN = frozenset({"RELATED", "ESTABLISHED"})


class KubeForward(Record):
    """What KUBE-FORWARD does.

    `accepts_marked`, `accepts_known`: packets with a mark, packets of known connections (of the pod network up to
    1.17). The `near_` rules look intended for this but do something else. `invalid_late`: the drop of INVALID packets
    comes after an ACCEPT.
    """

    chain: Chain
    accepts_marked: bool
    near_marked: Rule | None
    accepts_known: bool
    near_known: Rule | None
    invalid_drop: Rule | None
    near_invalid: Rule | None
    invalid_late: bool


@fact
def forwarding(context: RulesetContext) -> KubeForward | None:
    """filter KUBE-FORWARD; None if the text lacks it."""
    chain = context.chain("filter", FORWARD)
    if chain is None:
        return None
    marked = [rule for rule in chain.rules if rule.shape.has_match("mark")]
    accepting = [rule for rule in marked if _accepts_marked(rule)]
    known = [rule for rule in chain.rules if _asks_for_known(rule)]
    states = [rule for rule in chain.rules if asked_states(rule) and rule not in known]
    invalid = [rule for rule in states if _drops_invalid(rule)]
    first_accept = next((index for index, rule in enumerate(chain.rules) if rule.target == "ACCEPT"), len(chain.rules))
    return KubeForward(
        chain=chain,
        accepts_marked=bool(accepting),
        near_marked=None if accepting or not marked else marked[0],
        accepts_known=_accepts_known(known),
        near_known=_near_known(known, states),
        invalid_drop=invalid[0] if invalid else None,
        near_invalid=next((rule for rule in states if not _is_known_comment(rule)), None),
        invalid_late=bool(invalid) and chain.rules.index(invalid[0]) > first_accept,
    )


def _accepts_marked(rule: Rule) -> bool:
    option = rule.shape.match_option("mark", "--mark")
    return rule.target == "ACCEPT" and option is not None and not option.negated and len(conditions_of(rule)) == 1


def _accepts_known(rules: list[Rule]) -> bool:
    """Whether rules accept all known connections, or all from one network and all to it."""
    accepting = [rule for rule in rules if rule.target == "ACCEPT"]
    if any(len(conditions_of(rule)) == 1 for rule in accepting):
        return True
    sources = {rule.core("-s") for rule in accepting if len(conditions_of(rule)) == 2} - {None}
    destinations = {rule.core("-d") for rule in accepting if len(conditions_of(rule)) == 2} - {None}
    return bool(sources & destinations)


def _near_known(known: list[Rule], states: list[Rule]) -> Rule | None:
    if known:
        return next((rule for rule in known if rule.target != "ACCEPT"), known[0])
    return next((rule for rule in states if _is_known_comment(rule)), None)


def _is_known_comment(rule: Rule) -> bool:
    return (rule.comment or "").startswith("kubernetes forwarding conntrack")


def _asks_for_known(rule: Rule) -> bool:
    option = state_option(rule)
    return option is not None and not option.negated and asked_states(rule) >= _KNOWN


def _drops_invalid(rule: Rule) -> bool:
    option = state_option(rule)
    conditions = [word for word in conditions_of(rule) if not word.startswith("--nfacct-name")]
    return (
        rule.target == "DROP" and option is not None and not option.negated and conditions == [f"{option.name} INVALID"]
    )
