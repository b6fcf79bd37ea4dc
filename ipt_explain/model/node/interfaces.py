"""The addresses of a node's interfaces."""

from __future__ import annotations

from ipt_explain.model.kernel import Family
from ipt_explain.records import Record


class InterfaceAddress(Record):
    """An address of one of the node's interfaces. `prefix_length` is that of its network, None if not shown."""

    interface: str
    address: str
    prefix_length: int | None
    family: Family
    line: int


class NodeAddresses(Record):
    """Addresses of interfaces. `interfaces` are all that the text shows, with or without addresses. `cut`: some of what
    the tool printed was left out."""

    source: str
    interfaces: tuple[str, ...]
    addresses: tuple[InterfaceAddress, ...]
    cut: bool = False

    @property
    def complete(self) -> bool:
        """Whether all of the node's interfaces are shown: `ip addr` without a name always begins with loopback."""
        return "lo" in self.interfaces and not self.cut
