"""The virtual server that took a packet, as a step of its path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipt_explain.model import Backend
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.records import Record
from ipt_explain.words import address_port

if TYPE_CHECKING:
    from ipt_explain.model.node.ipvs import VirtualServer


class ServersPlace(Record):
    """Where a hook asks virtual servers: `LOCAL_IN` or `LOCAL_OUT`, as the kernel calls it."""

    name: str


class IpvsStep(Record):
    """A virtual server on a packet's path; the fields are those of a `Step` of iptables."""

    backend = Backend.IPVS

    table: str
    chain: ServersPlace
    rule: VirtualServer
    depth: int
    before: PacketState
    after: PacketState
    into: None
    to_after: Heading

    @property
    def line(self) -> int | None:
        """Where ipvsadm prints it."""
        return self.rule.line or None

    @property
    def text(self) -> str:
        """The server by its address, as `tcp 10.96.0.10:53 rr`."""
        return server_text(self.rule)


def server_text(server: VirtualServer) -> str:
    """A virtual server by its address and scheduler."""
    if server.address is None:
        return f"mark {server.fwmark} {server.scheduler or ''}".rstrip()
    return f"{server.protocol} {address_port(server.address, server.port)} {server.scheduler or ''}".rstrip()


class IpvsLeg(Record, eq=False):
    """A packet's path through IPVS."""

    server: VirtualServer
    before: PacketState
    after: PacketState
    to_after: Heading

    def steps(self) -> list[IpvsStep]:
        """The one step."""
        return [self.last()]

    def last(self) -> IpvsStep:
        """The one step."""
        local = self.before.hook.value == "OUTPUT"
        place = ServersPlace("LOCAL_OUT" if local else "LOCAL_IN")
        return IpvsStep("ipvs", place, self.server, 0, self.before, self.after, None, self.to_after)
