"""What an expression may give for a packet: a value, one of several by chance, part of the truth, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Union

from ipt_explain.enums import Enum
from ipt_explain.netfilter.whereabouts import Whereabouts
from ipt_explain.records import Record

if TYPE_CHECKING:
    from ipt_explain.netfilter.interfaces import InterfaceFacts


class Nothing(Enum):
    """Why there is no value."""

    ABSENT = "absent"  # the packet has none: the rule ends
    UNKNOWN = "unknown"  # it has one, which no listing shows


ABSENT, UNKNOWN = Nothing.ABSENT, Nothing.UNKNOWN


class Chance(Record):
    """One of `count` numbers from `first` on, all equally likely."""

    first: int
    count: int


class AddressType(Record):
    """An address's type (`fib daddr type`): `local` if it is one of the node's, `otherwise` if not. `sent` is the
    packet's original destination, if this is about its destination."""

    address: int | Whereabouts
    sent: int | Whereabouts | None
    otherwise: str = "unicast"


Value = int | str | Whereabouts | frozenset[str] | AddressType
Reading = Union[Value, Chance, Nothing, "InterfaceFacts"]
