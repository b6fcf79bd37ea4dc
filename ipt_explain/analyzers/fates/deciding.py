"""Which rule decides where packets to a Service end, who wrote it, and whether it is the Service's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ipt_explain.analyzers.fates.misleading import misleading
from ipt_explain.analyzers.names import (
    EXTERNAL_SERVICES,
    FIREWALL,
    MARK_DROP,
    PROXY_FIREWALL,
    SERVICES,
    ChainRole,
    role_of,
)
from ipt_explain.model import Backend, Chain, Extent, Rule, Ruleset
from ipt_explain.model.kernel import HOOKS
from ipt_explain.netfilter.hooks import DESTINATION_NAT, Hook
from ipt_explain.netfilter.marks import MARKING_TARGETS
from ipt_explain.netfilter.packet import PacketState, Tracking
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.backends.nft_path import NftStep
from ipt_explain.netfilter.walk.ends import Finish
from ipt_explain.netfilter.walk.path import AnyStep, Path, Step, untracking
from ipt_explain.netfilter.walk.stages import Stages
from ipt_explain.services.fates import NODE_GETS_IT, NOT_TAKEN, NOT_TRANSLATED, PAST_IPVS, Decider, Loss

# kube-proxy's own refusals in the filter table; the last two are those of source ranges in IPVS mode.
_REFUSING = frozenset(
    {SERVICES, EXTERNAL_SERVICES, PROXY_FIREWALL, "KUBE-SOURCE-RANGES-FIREWALL", "KUBE-IPVS-OUT-FILTER"}
)
# Other programs that answer for Service addresses by design.
_ANSWERING = frozenset({"node-local-dns", "Istio", "Linkerd"})

KUBE_PROXY = "kube-proxy"


class Deciders:
    """Names the rule or chain of a step, and its owner.

    `rulesets` are those of iptables, in the order of the dump; `numbers` are the numbers of the family's nftables and
    IPVS rulesets among all. `served_by` is the backend of the Services, `stages` the stages of each hook.
    """

    def __init__(
        self, rulesets: Sequence[Ruleset], numbers: Mapping[Backend | None, int], served_by: Backend | None,
        stages: Stages,
    ) -> None:  # fmt: skip
        self._rulesets = rulesets
        self._numbers = numbers
        self._served_by = served_by
        self._stages = stages
        self._met: dict[tuple[Chain, Rule | None, bool], Decider] = {}

    def leads_to_endpoint(self, step: AnyStep) -> bool:
        """Whether a packet goes to an endpoint's chain that a fragment does not show, and that is assumed to do its
        work."""
        if not isinstance(step, Step):
            return False
        target = step.rule.target if step.rule is not None else None
        if target is None or role_of(target) is not ChainRole.ENDPOINT:
            return False
        return any(each.fragment and each.chain(step.table, step.chain.name) is step.chain for each in self._rulesets)

    def decisive(self, verdict: Verdict, state: PacketState, steps: Sequence[AnyStep]) -> AnyStep | None:
        """The step that decides where the packet ends; None if no rule does, or if IPVS would have to take it."""
        step = decisive(verdict, state, steps)
        if step is not None and verdict is Verdict.ACCEPT and state.dnat:
            return misleading(steps, step)
        if self._served_by is not Backend.IPVS or verdict is not Verdict.ACCEPT:
            return step
        # kube-proxy's rules in nat only mark packets there.
        return None if isinstance(step, Step) and step.table == "nat" else step

    def accepting(self, steps: Sequence[AnyStep]) -> Step | None:
        """The rule of filter that accepts a packet which kube-proxy's rules would refuse later."""
        entered: set[str] = set()
        for step in steps:
            if not isinstance(step, Step) or step.table != "filter" or step.rule is None:
                continue
            if step.into is not None:
                entered.add(step.into.name)
                continue
            ends = step.rule.target == "ACCEPT" or (step.rule.target == "RETURN" and step.depth == 0)
            if ends and not self._refusing_beside(step.chain) <= entered:
                return step
        return None

    def _refusing_beside(self, chain: Chain) -> set[str]:
        """The chains that refuse for Services in the same filter table as a chain."""
        whose = [each for each in self._rulesets if each.chain("filter", chain.name) is chain]
        names = (SERVICES, EXTERNAL_SERVICES)
        return {name for name in names if any(each.chain("filter", name) is not None for each in whose)}

    def of(self, step: AnyStep | None, state: PacketState) -> Decider:
        """The step's rule, or the chain that lets packets through if that decides."""
        if step is None:
            return self._passed_by(Hook.OUTPUT if state.connection.local else Hook.PREROUTING, state)
        if not isinstance(step, Step):
            number = self._numbers.get(step.backend, 0)
            if isinstance(step, NftStep):
                from ipt_explain.analyzers.fates.deciding_nft import decider

                return decider(step, number)
            return Decider(number, step.table, step.chain.name, step.line, step.text, KUBE_PROXY, is_rule=True)
        passed = step.into if step.rule is not None and step.after is not None else None
        rule = step.rule if passed is None else None
        key = passed or step.chain, rule, passed is None
        met = self._met.get(key)
        if met is None:
            met = self._met[key] = self._of_rule(step, passed or step.chain, rule)
        return met

    def of_chain(self, table: str, chain: Chain, rule: Rule | None = None) -> Decider:
        """A chain of iptables as a whole, or one of its rules."""
        number = next((at for at, each in enumerate(self._rulesets) if each.chain(table, chain.name) is chain), 0)
        line, text = (chain.line, f":{chain.name} -") if rule is None else (rule.line, rule.text)
        return Decider(number, table, chain.name, line, text, is_rule=rule is not None)

    def _of_rule(self, step: Step, chain: Chain, rule: Rule | None) -> Decider:
        """A rule of the chain, its policy, or a chain that the step has passed."""
        from ipt_explain.analyzers.owners.owner import owner_of, owner_of_rule

        passed = chain is not step.chain
        line, text = (_lets_pass(chain), f":{chain.name} -") if passed else (step.line, step.text)
        number = next((at for at, each in enumerate(self._rulesets) if each.chain(step.table, chain.name) is chain), 0)
        owner = owner_of(chain.name, chain.each_rule(), step.table)
        if rule is not None and (owner is None or chain.name in HOOKS):
            owner = owner_of_rule(rule, step.table)
        owner_name = None if owner is None else owner.name
        return Decider(number, step.table, chain.name, line, text, owner_name, rule is not None)

    def _passed_by(self, hook: Hook, state: PacketState) -> Decider:
        """The nat chain of the hook, none of whose rules handles a packet: that of kube-proxy's backend."""
        if self._served_by is Backend.NFTABLES:
            from ipt_explain.analyzers.fates.deciding_nft import base_chain

            return base_chain(self._stages, hook, self._numbers.get(Backend.NFTABLES, 0))
        if self._served_by is Backend.IPVS:
            return Decider(self._numbers.get(Backend.IPVS, 0), "ipvs", None, None, "", KUBE_PROXY)
        family = state.connection.family
        ours = [(number, each) for number, each in enumerate(self._rulesets) if each.family is family]
        for number, ruleset in ours:
            chain = ruleset.chain("nat", hook.value)
            if chain is not None:
                return Decider(number, "nat", hook.value, chain.line, f":{chain.name} {chain.policy or 'ACCEPT'}")
        return Decider(ours[0][0] if ours else 0, "nat", hook.value, None, "")


def last_choice(chain: Chain) -> Rule | None:
    """The last rule that leads to an endpoint; packets that pass it reach none. None in chains that are not
    kube-proxy's for one Service or endpoint."""
    if role_of(chain.name) is not None:
        for number in reversed(range(len(chain.layout.shapes))):
            target = chain.target_of(number)
            if target == "DNAT" or (target is not None and role_of(target) is ChainRole.ENDPOINT):
                return chain.rule(number)
    return None


def _lets_pass(chain: Chain) -> int | None:
    """The line that lets packets through a chain: its last choice's, or its declaration."""
    last = last_choice(chain)
    return chain.line if last is None else last.line


def refused(finish: Finish, path: Path | None) -> bool:
    """Whether the Service's own rules refuse the packet: kube-proxy's refusals, or its mark for dropping."""
    if path is None or finish.state.dnat or finish.verdict is Verdict.UNKNOWN:
        return False
    if finish.verdict is not Verdict.ACCEPT:
        last = None if finish.reason else path.last()
        last = last or next(reversed(path.steps()), None)
        if last is not None and (not isinstance(last, Step) or last.chain.name != FIREWALL):
            return refuses(last)
    return path.enters(MARK_DROP)


def refuses(step: AnyStep) -> bool:
    """Whether a rule that stops packets is one of kube-proxy's refusals."""
    if isinstance(step, NftStep):
        from ipt_explain.analyzers.fates import deciding_nft

        return deciding_nft.refuses(step)
    return not isinstance(step, Step) or (step.table == "filter" and step.chain.name in _REFUSING)


def decisive(verdict: Verdict, state: PacketState, steps: Sequence[AnyStep]) -> AnyStep | None:
    """The step that decides where the packet ends; None if no rule does."""
    if verdict is not Verdict.ACCEPT and not _for_lack_of_dnat(state, steps):
        return steps[-1] if steps else None
    if not state.dnat and state.tracking is Tracking.UNTRACKED:
        exempting = untracking(steps)
        if exempting is not None:
            return exempting
    other = next((step for step in reversed(steps) if not isinstance(step, Step) and _translates(step)), None)
    if other is None and any(isinstance(step, NftStep) for step in steps):
        from ipt_explain.analyzers.fates.deciding_nft import accepting

        other = accepting(steps)
    if other is not None:
        return other
    translating = [
        step
        for step in steps
        if isinstance(step, Step) and step.table == "nat" and step.before.hook in DESTINATION_NAT
    ]
    through: Step | None = None
    for step in reversed(translating):
        if step.rule is None or step.after is None:
            continue
        if step.into is None:
            if step.rule.target not in MARKING_TARGETS:
                return step
        elif (through is None or step.depth > through.depth) and not _only_marks(step.into):
            through = step
    return through


def shortening(steps: Sequence[AnyStep]) -> AnyStep | None:
    """The last step that changed how many hops the packet has left; None if none did."""
    for step in reversed(steps):
        if step.into is None and step.after is not None:
            before, after = step.before.header, step.after.header
            if (before.hops, before.hops_by) != (after.hops, after.hops_by):
                return step
    return None


def _for_lack_of_dnat(state: PacketState, steps: Sequence[AnyStep]) -> bool:
    """Whether kube-proxy's table of nftables rejects a packet because nothing translated it."""
    last = steps[-1] if steps and not state.dnat else None
    if not isinstance(last, NftStep):
        return False
    from ipt_explain.analyzers.fates.deciding_nft import checks_cluster_ips

    return checks_cluster_ips(last)


def _only_marks(chain: Chain) -> bool:
    shapes = chain.layout.shapes
    return bool(shapes) and all(shape.target is not None and shape.target.name in MARKING_TARGETS for shape in shapes)


def perhaps_led_away(steps: Sequence[AnyStep]) -> bool:
    """Whether a packet was marked for dropping by a chain with missing rules, which might have sent it to an
    endpoint."""
    return any(
        isinstance(step, Step)
        and step.into is not None
        and step.into.name == MARK_DROP
        and step.chain.extent is not Extent.WHOLE
        for step in steps
    )


def _translates(step: AnyStep) -> bool:
    return step.after is not None and step.after.destination_decided > step.before.destination_decided


def loss_of(finish: Finish, step: AnyStep | None, decider: Decider, sent: str | None) -> tuple[Loss, str]:
    """How a packet with this end is lost, and why, in words; `sent` is where an accepted one was translated to."""
    verdict, state, reason = finish.verdict, finish.state, finish.reason
    refusing = verdict in (Verdict.DROP, Verdict.REJECT)
    if refusing and decider.owner == KUBE_PROXY and not state.dnat and decider.text.startswith("chain "):
        return Loss.UNTRANSLATED, f"{NOT_TRANSLATED}, so that it is refused"
    if refusing:
        return (Loss.DROPPED, reason or "dropped") if verdict is Verdict.DROP else (Loss.REJECTED, reason or "rejected")
    if verdict is Verdict.UNKNOWN:
        return Loss.UNKNOWN, reason
    if decider.owner in _ANSWERING:
        return Loss.INTERCEPTED, f"{decider.owner} answers it"
    if sent is not None:
        return Loss.DIVERTED, f"sent to {sent}"
    if state.tracking is Tracking.UNTRACKED:
        return Loss.UNTRANSLATED, "tracking is turned off, so nat does not apply"
    if step is None and decider.table == "ipvs":
        if state.answers:
            return Loss.UNTRANSLATED, NOT_TAKEN  # perhaps the node's address, perhaps not
        return Loss.UNTRANSLATED, NODE_GETS_IT if finish.delivered else PAST_IPVS
    if step is None or step.rule is None:
        return Loss.UNTRANSLATED, NOT_TRANSLATED
    if step.into is not None:
        return Loss.UNTRANSLATED, f"{step.into.name} chooses no endpoint"
    if not isinstance(step, Step):
        return Loss.UNTRANSLATED, NOT_TRANSLATED
    return Loss.UNTRANSLATED, f"{step.rule.target or 'this rule'} leaves nat before the destination is translated"
