"""Facts about a node besides its rules, from `ipvsadm`, `ipset` and `ip addr`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ipt_explain.records import Record, field

if TYPE_CHECKING:
    from ipt_explain.model.node.interfaces import NodeAddresses
    from ipt_explain.model.node.ipsets import IpSet
    from ipt_explain.model.node.ipvs import VirtualServer


class VirtualServers(Record, eq=False):
    """The virtual servers of a node, in the order printed. `complete` is False if some are known to be missing;
    `source` is the text that shows them."""

    source: str
    servers: tuple[VirtualServer, ...]
    complete: bool = True


class NodeSet(Record):
    """A set, and the text that shows it."""

    source: str
    set: IpSet


class NodeFacts(Record, eq=False):
    """All that is known of a node besides its rules. What was not given is None, or not in `sets`: unknown, not absent.

    `sets` are by name; all families share the names.
    """

    virtual_servers: VirtualServers | None = None
    sets: Mapping[str, NodeSet] = field(default_factory=dict)
    addresses: NodeAddresses | None = None

    def __bool__(self) -> bool:
        """Whether anything is known."""
        return bool(self.sets) or self.virtual_servers is not None or self.addresses is not None


NOTHING_KNOWN = NodeFacts()
