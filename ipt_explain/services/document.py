"""Facts as JSON text, schema ipt-explain/explain/2. Keys are a promise: some may be added, none renamed or dropped.

A node of 10,000 services has 200,000 endpoints and shares to write. Formatted strings take a fraction of the time that
dictionaries and json.dumps take; strings still go through json's own quoting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from ipt_explain.columns import columns, nothing
from ipt_explain.model import Backend
from ipt_explain.services.evidence import evidence_lines
from ipt_explain.services.fates import Fate, Loss, Lost
from ipt_explain.services.json_columns import Skeleton, number_or_null, numbers, quoted, text_or_null, texts
from ipt_explain.services.ports import (
    Balancer,
    Endpoint,
    Frontend,
    Masquerade,
    Placement,
    RulesetFacts,
    ServiceChains,
    ServicePort,
    Share,
)

SCHEMA = "ipt-explain/explain/2"

_AT_ONCE = 32  # services in a piece of text
_ENDPOINT_FIELDS = (
    "address", "chain", "packets", "evidence", "port", "probability", "local", "hairpin", "affinity_timeout",
    "placement",
)  # fmt: skip
_SHARE_FIELDS = ("endpoint", "probability", "scheduler", "weight")


def json_chunks(
    rulesets: Iterable[RulesetFacts], services: Sequence[ServicePort], warnings: Iterable[str]
) -> Iterator[str]:
    """An explanation as one line of ASCII, some services at a time. Control characters are escaped, so it is safe to
    print.
    """
    yield f'{{"schema": {quoted(SCHEMA)}, "rulesets": '
    yield _plain(_array(map(_ruleset, rulesets)))
    yield ', "services": ['
    for at in range(0, len(services), _AT_ONCE):
        if at:
            yield ", "
        yield _plain(", ".join(map(_service, services[at : at + _AT_ONCE])))
    yield '], "warnings": '
    yield _plain(_array(map(quoted, warnings)))
    yield "}"


def service_line(service: ServicePort) -> str:
    """One service port as one line of JSON, line feed included."""
    return f"{_plain(_service(service))}\n"


def _plain(text: str) -> str:
    # JSON does not escape DEL, but a terminal should not see it. To look for it is much faster than to replace it.
    return text.replace("\x7f", "\\u007f") if "\x7f" in text else text


def _array(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"


_TRUTHS = {None: "null", True: "true", False: "false"}


def _ruleset(ruleset: RulesetFacts) -> str:
    mark = ruleset.masquerade_mark
    sizes = [
        f'{quoted(name)}: {{"chains": {size.chains}, "rules": {size.rules}}}' for name, size in ruleset.tables.items()
    ]
    return (
        f'{{"source": {quoted(ruleset.source)}'
        f', "family": {quoted(ruleset.family.value)}'
        f', "backend": {text_or_null(ruleset.backend.value if ruleset.backend else None)}'
        f', "generator": {text_or_null(ruleset.generator)}'
        f', "fragment": {_TRUTHS[ruleset.form.fragment]}'
        f', "tables": {{{", ".join(sizes)}}}'
        f', "mode": {text_or_null(ruleset.mode.value if ruleset.mode else None)}'
        f', "masquerade_mark": {text_or_null(f"{mark[0]:#x}/{mark[1]:#x}" if mark else None)}'
        f', "version": {text_or_null(ruleset.version)}'
        f', "evidence": {quoted(ruleset.evidence)}{_place(ruleset.placement)}}}'
    )


def _place(placement: Placement | None) -> str:
    """Node and zone, if objects were read."""
    if placement is None:
        return ""
    return f', "node": {text_or_null(placement.node)}, "zone": {text_or_null(placement.zone)}'


def _service(service: ServicePort) -> str:
    affinity, internal, external = service.affinity_seconds, service.internal_policy, service.external_policy
    return (
        f'{{"family": {quoted(service.family.value)}'
        f', "source": {quoted(service.source)}'
        f', "namespace": {text_or_null(service.namespace)}'
        f', "name": {text_or_null(service.name)}'
        f', "port_name": {text_or_null(service.port_name)}'
        f', "protocol": {text_or_null(service.protocol or None)}'
        f', "cluster_ip": {text_or_null(service.cluster_ip)}'
        f', "port": {number_or_null(service.port)}'
        f', "state": {quoted(service.state.value)}'
        f', "frontends": {_array(map(_frontend, service.frontends))}'
        f', "balancers": {_array(map(_balancer, service.balancers))}'
        f', "endpoints": {_endpoints(service.endpoints, service.backend is Backend.IPVS)}'
        f', "affinity": {"null" if affinity is None else _AFFINITY % affinity}'
        f', "internal_traffic_policy": {text_or_null(internal.value if internal else None)}'
        f', "external_traffic_policy": {text_or_null(external.value if external else None)}'
        f', "health_check_node_port": {number_or_null(service.health_check_node_port)}'
        f', "masquerade": {_masquerade(service.masquerade)}'
        f', "chains": {_chains(service.chains)}'
        f', "backend": {text_or_null(service.backend.value if service.backend else None)}}}'
    )


_AFFINITY = '{"type": "ClientIP", "timeout_seconds": %s}'


def _frontend(frontend: Frontend) -> str:
    fates = frontend.fates
    return (
        f'{{"kind": {quoted(frontend.kind.value)}'
        f', "address": {text_or_null(frontend.address)}'
        f', "port": {frontend.port}'
        f', "line": {frontend.evidence.line}'
        f', "verdict": {quoted(frontend.verdict.value)}'
        f', "balancer": {text_or_null(frontend.balancer)}'
        f', "node_balancer": {text_or_null(frontend.node_balancer)}'
        f', "source_ranges": {_array(map(quoted, frontend.source_ranges))}'
        f', "fates": {"null" if fates is None else _fates(fates.pod, fates.node, fates.outside)}}}'
    )


@lru_cache(maxsize=1024)
def _fates(pod: Fate, node: Fate, outside: Fate) -> str:
    return f'{{"pod": {_fate(pod)}, "node": {_fate(node)}, "outside": {_fate(outside)}}}'


def _fate(fate: Fate) -> str:
    unanswered = [lost for lost in fate.lost if lost.how is Loss.UNANSWERED]
    lost = [lost for lost in fate.lost if lost.how is not Loss.UNANSWERED] if unanswered else fate.lost
    arriving = fate.served
    if arriving is not None and unanswered:
        arriving += sum(lost.probability for lost in unanswered)
    return (
        f'{{"served": {number_or_null(arriving)}'
        f', "refused": {number_or_null(fate.refused)}'
        f', "enforced": {_TRUTHS[fate.enforced]}'
        f', "masqueraded": {_TRUTHS[fate.masqueraded]}'
        f', "open": {_array(map(quoted, fate.open))}'
        f', "lost": {_array(map(_lost, lost))}'
        + (f', "unanswered": {_array(map(_lost, unanswered))}}}' if unanswered else "}")
    )


def _lost(lost: Lost) -> str:
    decider = lost.decider
    return (
        f'{{"probability": {lost.probability}'
        f', "how": {quoted(lost.how.value)}'
        f', "verdict": {quoted(lost.verdict)}'
        f', "dnat": {text_or_null(lost.dnat)}'
        f', "ruleset": {decider.ruleset}'
        f', "table": {text_or_null(decider.table)}'
        f', "chain": {text_or_null(decider.chain)}'
        f', "line": {number_or_null(decider.line)}'
        f', "why": {quoted(lost.why)}}}'
    )


def _balancer(balancer: Balancer) -> str:
    return (
        f'{{"chain": {quoted(balancer.chain)}'
        f', "scope": {quoted(balancer.scope.value)}'
        f', "endpoints": {_shares(balancer.shares)}'
        f', "unmatched": {number_or_null(balancer.unmatched)}}}'
    )


def _shares(shares: Sequence[Share]) -> str:
    endpoints, *facts = columns(shares, _SHARE_FIELDS)
    quote, endpoints = texts(endpoints)
    return _of_shares(quote, *map(tuple, facts)).filled(endpoints)


@lru_cache(maxsize=1024)
def _of_shares(
    quote: str, chances: Sequence[float | None], schedulers: Sequence[str | None], weights: Sequence[int | None]
) -> Skeleton:
    """What many balancers' shares have in common: all but the endpoints, which need these quotation marks."""
    facts = [
        f'"probability": {"null" if chance is None else float(chance)}'
        if scheduler is None
        else f'"probability": null, "scheduler": {quoted(scheduler)}, "weight": {number_or_null(weight)}'
        for chance, scheduler, weight in zip(chances, schedulers, weights)
    ]
    return Skeleton([(f'{{"endpoint": {quote}', f"{quote}, {known}}}") for known in facts])


def _endpoints(endpoints: Sequence[Endpoint], chainless: bool) -> str:
    addresses, chains, packets, evidence, *facts, placements = columns(endpoints, _ENDPOINT_FIELDS)
    quote, addresses = texts(addresses)
    chain_quote, chains = texts(nothing(len(chains)) if chainless else chains)
    lines = map(repr, evidence_lines(evidence))
    if any(placements):
        lines = map(str.__add__, lines, map(_pod, placements))
    return _of_endpoints(quote, chain_quote, *map(tuple, facts)).filled(addresses, chains, numbers(packets), lines)


def _pod(placement: Placement) -> str:
    return f', "pod": {text_or_null(placement.pod)}{_place(placement)}'


@lru_cache(maxsize=1024)
def _of_endpoints(
    quote: str, chain_quote: str, ports: Sequence[int | None], chances: Sequence[float | None],
    local: Sequence[bool | None], hairpins: Sequence[bool | None], timeouts: Sequence[int | None],
) -> Skeleton:  # fmt: skip
    """What many Services' endpoints have in common: all but addresses, chains, packets and lines."""
    return Skeleton(
        [
            (
                f'{{"address": {quote}',
                f'{quote}, "port": {number_or_null(port)}, "chain": {chain_quote}',
                (
                    f'{chain_quote}, "probability": {"null" if chance is None else float(chance)}'
                    f', "local": {"true" if here else "null"}, "hairpin": {_TRUTHS[hairpin]}'
                    f', "affinity_timeout": {number_or_null(timeout)}, "packets": '
                ),
                ', "line": ',
                "}",
            )
            for port, chance, here, hairpin, timeout in zip(ports, chances, local, hairpins, timeouts)
        ]
    )


def _masquerade(masquerade: Masquerade) -> str:
    return (
        f'{{"hairpin": {_TRUTHS[masquerade.hairpin]}, "all": {_TRUTHS[masquerade.all]}'
        f', "off_cluster": {text_or_null(masquerade.off_cluster)}}}'
    )


def _chains(chains: ServiceChains) -> str:
    return (
        f'{{"service": {text_or_null(chains.service)}, "local": {text_or_null(chains.local)}'
        f', "external": {text_or_null(chains.external)}, "firewall": {text_or_null(chains.firewall)}}}'
    )
