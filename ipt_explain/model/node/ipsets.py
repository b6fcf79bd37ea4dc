"""IP sets: named sets of addresses, networks, ports and the like, which rules ask with `-m set`."""

from __future__ import annotations

from ipt_explain.enums import Enum
from ipt_explain.model.family import Family
from ipt_explain.records import dataclass


class SetMethod(Enum):
    """How a set keeps its elements: the part of its type before the colon."""

    HASH = "hash"
    BITMAP = "bitmap"
    LIST = "list"


class Dimension(Enum):
    """What one part of a set's elements is: a word of its type after the colon."""

    IP = "ip"
    NET = "net"
    PORT = "port"
    MAC = "mac"
    MARK = "mark"
    INTERFACE = "iface"
    SET = "set"

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class SetPort:
    """A port of a protocol; `protocol` is None in a bitmap of ports, which holds those of TCP and UDP alike. `port` is
    a number, or for ICMP a type by name or as TYPE/CODE."""

    protocol: str | None
    port: str


@dataclass(frozen=True, slots=True)
class BridgePort:
    """An interface that is a port of a bridge, as `physdev:eth0`."""

    name: str


ElementPart = str | SetPort | BridgePort
"""A part of an element; what is no port is the text that the set prints: an address, a network, a mark, a name."""


@dataclass(frozen=True, slots=True)
class SetElement:
    """One element, a part for each dimension. `nomatch` is an exception from the networks around it; `timeout` is how
    many seconds it still stays, None where it stays for good."""

    parts: tuple[ElementPart, ...]
    line: int
    nomatch: bool = False
    timeout: int | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class IpSet:
    """A set and its elements, in the order printed.

    `family` is None for a set that has none (a bitmap of ports, a list of sets). `mask` is the netmask under which the
    set keeps addresses (a prefix length or a mask), `mark_mask` the one for marks. `complete` is False where elements
    are known to be missing: what is not among those shown may be in the set all the same.
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
