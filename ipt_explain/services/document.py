"""Facts as JSON text, schema ipt-explain/explain/2. Keys are a promise: some may be added, none renamed or dropped.

A node of 10,000 services has 200,000 endpoints and shares to write. Filling one template per object takes a
third of the time that dictionaries and json.dumps take; strings still go through json's own quoting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted

from ipt_explain.model import Backend
from ipt_explain.services.columns import column
from ipt_explain.services.fates import Fate, Fates, Lost
from ipt_explain.services.ports import (
    Balancer,
    Endpoint,
    Frontend,
    Masquerade,
    RulesetFacts,
    ServiceChains,
    ServicePort,
    Share,
)

SCHEMA = "ipt-explain/explain/2"


def _object(keys: str) -> str:
    """A template with a place for each key's value, itself JSON."""
    return "{" + ", ".join(f'"{key}": %s' for key in keys.split()) + "}"


_RULESET = _object("source family backend generator fragment tables mode masquerade_mark version evidence")
_TABLE = _object("chains rules")
_SERVICE = _object(
    "family source namespace name port_name protocol cluster_ip port state frontends balancers endpoints affinity "
    "internal_traffic_policy external_traffic_policy health_check_node_port masquerade chains backend"
)
_FRONTEND = _object("kind address port line verdict balancer node_balancer source_ranges fates")
_FATES = _object("pod node outside")
_FATE = _object("served refused enforced masqueraded open lost")
_LOST = _object("probability how verdict dnat ruleset table chain line why")
_BALANCER = _object("chain scope endpoints unmatched")
_SHARE = _object("endpoint probability")
_DECIDED_SHARE = _object("endpoint probability scheduler weight")
_ENDPOINT = _object("address port chain probability local hairpin affinity_timeout packets line")
_ENDPOINT_FIELDS = (
    "address", "port", "chain", "probability", "local", "hairpin", "affinity_timeout", "packets", "evidence"
)  # fmt: skip
_AFFINITY = _object("type timeout_seconds")
_MASQUERADE = _object("hairpin all off_cluster")
_CHAINS = _object("service local external firewall")


def json_chunks(
    rulesets: Iterable[RulesetFacts], services: Iterable[ServicePort], warnings: Iterable[str]
) -> Iterator[str]:
    """An explanation as one line of ASCII, one service at a time. Control characters are escaped, so it is safe to
    print.
    """
    yield f'{{"schema": {quoted(SCHEMA)}, "rulesets": '
    yield _plain(_array(map(_ruleset, rulesets)))
    yield ', "services": ['
    separator = ""
    for service in services:
        yield _plain(separator + _service(service))
        separator = ", "
    yield '], "warnings": '
    yield _plain(_array(map(quoted, warnings)))
    yield "}"


def service_line(service: ServicePort) -> str:
    """One service port as one line of JSON, line feed included."""
    return f"{_plain(_service(service))}\n"


def _plain(text: str) -> str:
    # JSON lets DEL stand as it is. A terminal should not see it.
    return text.replace("\x7f", "\\u007f")


def _array(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"


def _text(value: str | None) -> str:
    return "null" if value is None else quoted(value)


def _number(value: float | None) -> str:
    return "null" if value is None else repr(value)


_TRUTHS = {None: "null", True: "true", False: "false"}


class _Chances(dict[float | None, str]):
    """The texts of chances so far; a node has few different ones, and writing one takes longer than everything else."""

    def __missing__(self, chance: float | None) -> str:
        if len(self) >= _MAX_CHANCES:
            self.clear()
        text = self[chance] = "null" if chance is None else repr(float(chance))
        return text


_MAX_CHANCES = 4096
_CHANCES = _Chances()


def _ruleset(ruleset: RulesetFacts) -> str:
    mark = ruleset.masquerade_mark
    sizes = (f"{quoted(name)}: {_TABLE % (size.chains, size.rules)}" for name, size in ruleset.tables.items())
    return _RULESET % (
        quoted(ruleset.source),
        quoted(ruleset.family.value),
        _text(ruleset.backend.value if ruleset.backend else None),
        _text(ruleset.generator),
        _TRUTHS[ruleset.form.fragment],
        f"{{{', '.join(sizes)}}}",
        _text(ruleset.mode.value if ruleset.mode else None),
        _text(f"{mark[0]:#x}/{mark[1]:#x}" if mark else None),
        _text(ruleset.version),
        quoted(ruleset.evidence),
    )


def _service(service: ServicePort) -> str:
    affinity, internal, external = service.affinity_seconds, service.internal_policy, service.external_policy
    return _SERVICE % (
        quoted(service.family.value),
        quoted(service.source),
        _text(service.namespace),
        _text(service.name),
        _text(service.port_name),
        quoted(service.protocol),
        _text(service.cluster_ip),
        _number(service.port),
        quoted(service.state.value),
        _array(map(_frontend, service.frontends)),
        _array(map(_balancer, service.balancers)),
        _endpoints(service.endpoints, service.backend is Backend.IPVS),
        "null" if affinity is None else _AFFINITY % ('"ClientIP"', affinity),
        _text(internal.value if internal else None),
        _text(external.value if external else None),
        _number(service.health_check_node_port),
        _masquerade(service.masquerade),
        _chains(service.chains),
        _text(service.backend.value if service.backend else None),
    )


def _frontend(frontend: Frontend) -> str:
    return _FRONTEND % (
        quoted(frontend.kind.value),
        _text(frontend.address),
        frontend.port,
        frontend.evidence.line,
        quoted(frontend.verdict.value),
        _text(frontend.balancer),
        _text(frontend.node_balancer),
        _array(map(quoted, frontend.source_ranges)),
        "null" if frontend.fates is None else _fates(frontend.fates),
    )


@lru_cache(maxsize=1024)
def _fates(fates: Fates) -> str:
    return _FATES % (_fate(fates.pod), _fate(fates.node), _fate(fates.outside))


def _fate(fate: Fate) -> str:
    return _FATE % (
        _number(fate.served),
        _number(fate.refused),
        _TRUTHS[fate.enforced],
        _TRUTHS[fate.masqueraded],
        _array(map(quoted, fate.open)),
        _array(map(_lost, fate.lost)),
    )


def _lost(lost: Lost) -> str:
    decider = lost.decider
    return _LOST % (
        lost.probability,
        quoted(lost.how.value),
        quoted(lost.verdict),
        _text(lost.dnat),
        decider.ruleset,
        _text(decider.table),
        _text(decider.chain),
        _number(decider.line),
        quoted(lost.why),
    )


def _balancer(balancer: Balancer) -> str:
    return _BALANCER % (
        quoted(balancer.chain),
        quoted(balancer.scope.value),
        _shares(balancer.shares),
        _number(balancer.unmatched),
    )


def _shares(shares: Sequence[Share]) -> str:
    fields = [column(shares, field) for field in ("endpoint", "probability", "scheduler", "weight")]
    return _array(
        [
            _SHARE % ("null" if endpoint is None else quoted(endpoint), _CHANCES[chance])
            if scheduler is None
            else _DECIDED_SHARE % (_text(endpoint), "null", quoted(scheduler), "null" if weight is None else weight)
            for endpoint, chance, scheduler, weight in zip(*fields)
        ]
    )


def _endpoints(endpoints: Sequence[Endpoint], chainless: bool) -> str:
    fields = [column(endpoints, field) for field in _ENDPOINT_FIELDS]
    return _array(
        [
            _ENDPOINT
            % (
                "null" if address is None else quoted(address),
                "null" if port is None else port,
                "null" if chainless else quoted(chain),
                _CHANCES[chance],
                "true" if local else "null",
                _TRUTHS[hairpin],
                "null" if timeout is None else timeout,
                "null" if packets is None else packets,
                evidence.line,
            )
            for address, port, chain, chance, local, hairpin, timeout, packets, evidence in zip(*fields)
        ]
    )


def _masquerade(masquerade: Masquerade) -> str:
    return _MASQUERADE % (_TRUTHS[masquerade.hairpin], _TRUTHS[masquerade.all], _text(masquerade.off_cluster))


def _chains(chains: ServiceChains) -> str:
    return _CHAINS % (_text(chains.service), _text(chains.local), _text(chains.external), _text(chains.firewall))
