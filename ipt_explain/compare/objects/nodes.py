"""Recognising which of the cluster's nodes a dump is from."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from pathlib import PurePath

from ipt_explain.analyzers.names import NODE_PORTS, SERVICES
from ipt_explain.compare.objects.model import ApiObjects
from ipt_explain.errors import UsageError
from ipt_explain.model import Dump
from ipt_explain.services.ports import ServicePort
from ipt_explain.words import address_port


def node_of(objects: ApiObjects, dump: Dump, services: tuple[ServicePort, ...], wanted: str | None) -> str | None:
    """The node's name: `wanted`, else found by local endpoints, pod network, addresses or the file's name.

    None if unknown. Raises UsageError for a wanted node that the objects lack, or whose endpoints are clearly not the
    local ones in the dump.
    """
    voted = _by_local_endpoints(objects, services)
    if wanted is not None:
        _check(objects, dump, wanted, voted)
        return wanted
    if voted:
        (best, votes), *others = voted.most_common(2)
        if not others or votes > others[0][1]:
            return best
    return (
        _by_pod_network(objects, services)
        or _by_addresses(objects, dump)
        or _by_file_name(objects, dump)
        or (next(iter(objects.nodes)) if len(objects.nodes) == 1 else None)
    )


def _check(objects: ApiObjects, dump: Dump, wanted: str, voted: Counter[str]) -> None:
    names = _names(objects)
    if wanted not in names:
        near = get_close_matches(wanted, names, 3) or sorted(names)[:3]
        hint = f"; there is {', '.join(near)}" if near else ""
        raise UsageError(f"{objects.source}: there is no node {wanted}{hint}")
    if len(voted) == 1 and wanted not in voted and voted.total() > 1:
        raise UsageError(f"{dump.source}: the endpoints that are local there are {next(iter(voted))}'s, not {wanted}'s")


def _names(objects: ApiObjects) -> set[str]:
    """Names of nodes from their objects and from endpoints."""
    names = set(objects.nodes)
    for endpoints in objects.endpoints.values():
        names.update(each.node for each in endpoints if each.node is not None)
    return names


def _by_local_endpoints(objects: ApiObjects, services: tuple[ServicePort, ...]) -> Counter[str]:
    local = {
        address_port(endpoint.address, endpoint.port)
        for service in services
        for endpoint in service.endpoints
        if endpoint.local and endpoint.address is not None and endpoint.port is not None
    }
    votes: Counter[str] = Counter()
    if local:
        for endpoints in objects.endpoints.values():
            votes.update(each.node for each in endpoints if each.node is not None and each.endpoint in local)
    return votes


def _by_pod_network(objects: ApiObjects, services: tuple[ServicePort, ...]) -> str | None:
    networks = {service.masquerade.off_cluster for service in services}
    found = [node.name for node in objects.nodes.values() if networks.intersection(node.pod_cidrs)]
    return found[0] if len(found) == 1 and len(objects.nodes) > 1 else None


def _by_addresses(objects: ApiObjects, dump: Dump) -> str | None:
    """The node with the addresses in rules that lead to KUBE-NODEPORTS, which --nodeport-addresses writes."""
    shown: set[str] = set()
    for ruleset in dump.rulesets:
        chain = ruleset.chain("nat", SERVICES)
        for rule in chain.rules[-8:] if chain is not None else ():
            destination = rule.core("-d")
            if rule.target == NODE_PORTS and destination is not None:
                shown.add(destination.partition("/")[0])
    found = [node.name for node in objects.nodes.values() if shown.intersection(node.addresses)]
    return found[0] if len(found) == 1 else None


def _by_file_name(objects: ApiObjects, dump: Dump) -> str | None:
    name = PurePath(dump.source).name
    found = [
        node for node in objects.nodes if name == node or name.startswith((f"{node}.", f"{node}_", f"{node}-save"))
    ]
    return max(found, key=len, default=None)
