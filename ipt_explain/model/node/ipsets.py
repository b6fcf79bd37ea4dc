"""IP sets: named sets of addresses, networks, ports and the like, which rules look up with `-m set`."""

from __future__ import annotations

from ipt_explain.enums import Enum
from ipt_explain.model.kernel import Family
from ipt_explain.records import Record


class SetMethod(Enum):
    """How a set keeps its elements: the part of its type before the colon."""

    HASH = "hash"
    BITMAP = "bitmap"
    LIST = "list"


class Dimension(Enum):
    """What one part of an element is: a word of the set's type after the colon."""

    IP = "ip"
    NET = "net"
    PORT = "port"
    MAC = "mac"
    MARK = "mark"
    INTERFACE = "iface"
    SET = "set"


class SetPort(Record):
    """A port of a protocol; `protocol` is None in a bitmap of ports, which holds those of TCP and UDP alike. `port` is
    a number, or for ICMP a type by name or as TYPE/CODE."""

    protocol: str | None
    port: str


class BridgePort(Record):
    """An interface that is a port of a bridge, as `physdev:eth0`."""

    name: str


ElementPart = str | SetPort | BridgePort
"""A part of an element. What is not a port is text as the set prints it: an address, a network, a mark, a name."""


class SetElement(Record):
    """One element, with a part for each dimension. A `nomatch` element is an exception to a wider network; `timeout` is
    the seconds that remain, None for an element that stays."""

    parts: tuple[ElementPart, ...]
    line: int
    nomatch: bool = False
    timeout: int | None = None
    comment: str | None = None


class IpSet(Record, eq=False):
    """A set and its elements, in the order printed.

    `family` is None for a set without one (a bitmap of ports, a list of sets). `mask` is the netmask applied to
    addresses (a prefix length or a mask), `mark_mask` the one for marks. `complete` is False if elements are known to
    be missing: the set may then hold what it does not show.
    """

    name: str
    method: SetMethod
    dimensions: tuple[Dimension, ...]
    family: Family | None
    elements: tuple[SetElement, ...]
    line: int
    complete: bool = True
    mask: str | None = None
    mark_mask: int | None = None

    @property
    def type(self) -> str:
        """Its type as ipset spells it, as `hash:ip,port`."""
        return f"{self.method.value}:{','.join(dimension.value for dimension in self.dimensions)}"
