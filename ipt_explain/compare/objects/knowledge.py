"""What the cluster's objects add to an explanation: Service names in IPVS mode, endpoints' pods, nodes and zones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from ipt_explain.columns import columns, in_columns
from ipt_explain.compare.objects.model import ApiObjects
from ipt_explain.compare.objects.nodes import node_of
from ipt_explain.compare.objects.server_names import with_names
from ipt_explain.model import Dump
from ipt_explain.model.node.joining import as_node, by_node
from ipt_explain.records import Record, replace
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.ports import Endpoint, Placement, RulesetFacts, ServicePort
from ipt_explain.words import address_port

_NOWHERE = Placement()


class Knowledge(Record):
    """Objects, the dumps that they are about, and where the objects place each endpoint, by protocol and `ip:port`."""

    objects: ApiObjects
    dumps: tuple[Dump, ...]
    placements: Mapping[tuple[str, str], Placement]

    @classmethod
    def of(cls, objects: ApiObjects, dumps: Sequence[Dump]) -> Knowledge:
        """What the objects know about the nodes of these dumps."""
        zone = partial(_zone, objects)
        placements = {
            (protocol, each.endpoint): Placement(each.pod, each.node, each.zone or zone(each.node))
            for (_, _, _, _, protocol), endpoints in objects.endpoints.items()
            for each in endpoints
        }
        return cls(objects, tuple(dumps), placements)

    def add_to(self, explanation: Explanation) -> Explanation:
        """The explanation with everything that the objects know."""
        explanation = with_names(explanation, self.objects)
        nodes = self._nodes(explanation.services)
        return replace(
            explanation,
            rulesets=tuple(self._placed(facts, nodes) for facts in explanation.rulesets),
            services=tuple(map(self._with_placements, explanation.services)),
        )

    def _nodes(self, services: Sequence[ServicePort]) -> dict[str, str | None]:
        """The node that each source shows."""
        nodes: dict[str, str | None] = {}
        for group in by_node(self.dumps):
            sources = {dump.source for dump in group}
            own = tuple(service for service in services if service.source in sources)
            nodes |= dict.fromkeys(sources, node_of(self.objects, as_node(group), own, None))
        return nodes

    def _placed(self, facts: RulesetFacts, nodes: Mapping[str, str | None]) -> RulesetFacts:
        node = nodes.get(facts.source)
        return replace(facts, placement=Placement(None, node, _zone(self.objects, node)))

    def _with_placements(self, service: ServicePort) -> ServicePort:
        if not service.endpoints:
            return service
        placements = [
            _NOWHERE
            if address is None
            else self.placements.get((service.protocol, address_port(address, port)), _NOWHERE)
            for address, port in zip(*columns(service.endpoints, ("address", "port")))
        ]
        return replace(service, endpoints=in_columns(service.endpoints, Endpoint).with_columns(placement=placements))


def _zone(objects: ApiObjects, node: str | None) -> str | None:
    found = objects.nodes.get(node or "")
    return None if found is None else found.zone
