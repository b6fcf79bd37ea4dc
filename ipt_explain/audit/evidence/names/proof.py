"""Which service port each chain belongs to, as its hash proves, and rules and endpoints that disagree.

The hash in a chain's name covers the service port's name and protocol and, for endpoint chains, their destination (see
names.py). So a name from a comment is proved if its hash is the chain's. A rule that leads from one name to the chain
of another was changed, or its comment was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from operator import add

from ipt_explain.analyzers.iptables.endpoints import split_destination
from ipt_explain.analyzers.names import ChainRole, chain_hash, hash_of, read_comment
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.balancing.balancing_chains import BalancingChains, balancing_chains
from ipt_explain.audit.evidence.balancing.endpoint_chains import EndpointChains, endpoint_chains
from ipt_explain.audit.evidence.names.hashes import bear_hashes, unfit
from ipt_explain.audit.evidence.services.front_rules import NamedRule, front_rules
from ipt_explain.audit.fact import fact
from ipt_explain.model import Chain, Rule
from ipt_explain.records import Record
from ipt_explain.words import address_port


class ProvedName(Record):
    """A service port's name, as spelled where its hash was made, and its protocol."""

    spelled: str
    protocol: str

    @property
    def service(self) -> str:
        """The Service: `namespace/name`."""
        return self.spelled.partition(":")[0]


class Misnamed(Record):
    """A rule for one service port that leads to a chain with another hash. `proved` is the chain's owner, if known;
    `own` if the named service port has a chain in the text too."""

    named: NamedRule
    proved: ProvedName | None
    own: bool


class AlteredEndpoint(Record):
    """An endpoint chain whose hash does not match its service port and destination. `expected` is the destination that
    matches, if another rule still has it; `marks` are the rules that do. `owner` is the service port whose endpoint it
    is, if its hash matches another one."""

    chain: str
    dnat: Rule
    caller: str
    name: ProvedName
    destination: str
    expected: str | None
    marks: tuple[Rule, ...]
    owner: ProvedName | None = None

    @property
    def lacks_port(self) -> bool:
        """Whether the rule names no port, and nothing shows that the hash is of another address."""
        host, port = split_destination(self.destination)
        return port is None and (self.expected is None or split_destination(self.expected)[0] == host)


class Crossing(Record):
    """A rule in a chain of one service port that leads to a chain of another."""

    rule: Rule
    proved: ProvedName | None
    target: ProvedName | None


class SharedEndpoint(Record):
    """An endpoint chain that the balancing chains of two service ports lead to."""

    endpoint: str
    first: str
    second: str


class NameEvidence(Record):
    """What the names prove. `named` counts the rules whose comment names a service port."""

    proved: Mapping[str, ProvedName]
    named: int
    misnamed: tuple[Misnamed, ...]
    altered: tuple[AlteredEndpoint, ...]
    crossings: tuple[Crossing, ...]
    shared: tuple[SharedEndpoint, ...]


_FEW = 16
"""For up to this many endpoint chains, all names are tried."""

# Names that nearly every cluster has, for the hashes of dumps that lack or hide them.
_WELL_KNOWN = (
    *(("default/kubernetes:https", "tcp"), ("default/kubernetes", "tcp"), ("default/kubernetes:", "tcp")),
    *(("kube-system/kube-dns:dns", "udp"), ("kube-system/kube-dns:dns-tcp", "tcp")),
    ("kube-system/kube-dns:metrics", "tcp"),
)


@fact
def name_evidence(context: RulesetContext) -> NameEvidence:
    """The proved owner of each chain, and what disagrees."""
    fronts, balancing, endpoints = front_rules(context), balancing_chains(context), endpoint_chains(context)
    nat = context.table("nat")
    chains: Mapping[str, Chain] = {} if nat is None else nat.chains
    columns = [fronts.named.column(field) for field in ("key", "name", "protocol")]
    odd = set(unfit(columns[0], list(map(add, *columns[1:]))))
    proved: dict[str, ProvedName] = {}
    for place, (key, spelled, protocol) in enumerate(zip(*columns)):
        if key not in proved and place not in odd:
            proved[key] = ProvedName(spelled, protocol)
    wrong = [fronts.named[place] for place in sorted(odd)]
    others = [(named.name, named.protocol) for named in wrong]
    for name in (ProvedName(*each) for each in (*others, *_WELL_KNOWN)):
        proved.setdefault(chain_hash(name.spelled, name.protocol), name)
    _prove_by_comments(proved, balancing, chains)
    misnamed = tuple(Misnamed(named, proved.get(named.key), _has_own(chains, named)) for named in wrong)
    misfits, unchecked = _misfits(proved, balancing)
    callers = {chain: caller for caller, chain in reversed(misfits)}
    names = set(proved.values()) if len(callers) <= _FEW else set()
    altered = tuple(
        _altered_endpoint(chain, caller, proved[caller[9:]], endpoints, chains, names)
        for chain, caller in callers.items()
    )
    return NameEvidence(
        proved,
        len(fronts.named),
        misnamed,
        altered,
        tuple(_crossings(context, proved)),
        # A hash that matches one service port cannot match another: if all match, no endpoint is shared.
        tuple(_shared(balancing)) if misfits or unchecked else (),
    )


def label(name: str) -> str:
    """A service port's name as people write it: without the colon of unnamed ports up to 1.19."""
    return name.removesuffix(":")


def _has_own(chains: Mapping[str, Chain], named: NamedRule) -> bool:
    own = chain_hash(named.name, named.protocol)
    return ChainRole.SERVICE.value + own in chains or ChainRole.LOCAL.value + own in chains


def _prove_by_comments(proved: dict[str, ProvedName], balancing: BalancingChains, chains: Mapping[str, Chain]) -> None:
    """Prove names by comments in the chains: a fragment may lack the rules that lead to a chain."""
    for chain in balancing.targets:
        key = chain[9:]
        if key in proved:
            continue
        for rule in chains[chain].first_rules(1):
            name = None if rule.comment is None else read_comment(rule.comment)[0]
            for protocol in ("tcp", "udp", "sctp") if name is not None else ():
                if name is not None and chain_hash(name.spelled, protocol) == key:
                    proved[key] = ProvedName(name.spelled, protocol)


def _misfits(proved: Mapping[str, ProvedName], balancing: BalancingChains) -> tuple[list[tuple[str, str]], bool]:
    """(balancing chain, endpoint chain) where the endpoint's hash is not that of the service port and destination; and
    whether some endpoints could not be checked."""
    callers: list[str] = []
    known: list[str] = []
    inputs: list[str] = []
    unchecked = False
    for caller, destinations in balancing.destinations.items():
        name = proved.get(caller[9:])
        if name is None:
            unchecked = True
            continue
        targets = balancing.targets[caller]
        if not all(destinations):
            unchecked = True
            targets = [target for target, destination in zip(targets, destinations) if destination]
            destinations = list(filter(None, destinations))
        start = name.spelled + name.protocol
        known += targets
        inputs += [start + destination for destination in destinations]
        callers += repeat(caller, len(targets))
    return [(callers[place], known[place]) for place in unfit([target[9:] for target in known], inputs)], unchecked


def _shared(balancing: BalancingChains) -> Iterator[SharedEndpoint]:
    """Endpoints of more than one service port."""
    owners: dict[str, str] = {}
    for caller, targets in balancing.targets.items():
        for target in targets:
            owner = owners.setdefault(target, caller)
            if owner[9:] != caller[9:]:
                yield SharedEndpoint(target, owner, caller)


def _altered_endpoint(
    chain: str, caller: str, name: ProvedName, endpoints: EndpointChains, chains: Mapping[str, Chain],
    names: Iterable[ProvedName],
) -> AlteredEndpoint:  # fmt: skip
    destination = endpoints.destinations[chain]
    owner = next((other for other in names if _fits(chain, other, destination)), None)
    marks = tuple(rule for rule in chains[chain].rules if rule is not endpoints.dnat(chain))
    candidates = [(rule.comment or "").rpartition(" -> ")[2] for rule in chains[caller].rules if rule.target == chain]
    port = split_destination(destination)[1]
    for mark in marks:
        host = (mark.core("-s") or "").partition("/")[0]
        candidates.append(address_port(host, port))
    fits = (candidate for candidate in candidates if candidate and _fits(chain, name, candidate))
    return AlteredEndpoint(chain, endpoints.dnat(chain), caller, name, destination, next(fits, None), marks, owner)


def _fits(chain: str, name: ProvedName, destination: str) -> bool:
    return bear_hashes([chain[9:]], [name.spelled + name.protocol + destination])


_CROSSING = (ChainRole.EXTERNAL, ChainRole.LOCAL_EXTERNAL, ChainRole.FIREWALL)


def _crossings(context: RulesetContext, proved: Mapping[str, ProvedName]) -> Iterator[Crossing]:
    for chain in (chain for role in _CROSSING for alike in context.hashed[role].values() for chain in alike.chains):
        own = hash_of(chain.name)
        for rule in chain.rules:
            slot = None if rule.shape.target is None else rule.shape.target.slot
            target = None if slot is None else rule.word(slot)
            if target is None or target[:9] == ChainRole.ENDPOINT.value:
                continue
            other = hash_of(target)
            if other is not None and other != own:
                yield Crossing(rule, proved.get(own or ""), proved.get(other))
