"""Operands of statements: fields of a packet, constants, sets.

Constants are as nft prints them: numbers (ports, marks, in any base) are `int`, everything else (addresses, names,
quoted strings without their quotes) is `str`, `exists` and `missing` are `bool`.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.enums import Enum
from ipt_explain.model.nft.verdicts import Counter, Verdict
from ipt_explain.records import Record, field

Constant = int | str


class Wildcard(Enum):
    """The catch-all key of a set or map."""

    ANY = "*"


WILDCARD = Wildcard.ANY


class Payload(Record):
    """A header field: `ip daddr`, `th dport`. Raw bytes are `@th` and `0,16`."""

    protocol: str
    field: str


class Meta(Record):
    """Packet metadata: `mark`, `l4proto`, `iifname`."""

    key: str


class Conntrack(Record):
    """A property of the connection: `state`, `status`, `mark`; `ip daddr` of one `direction` (`original`, `reply`)."""

    key: str
    direction: str | None = None


class Fib(Record):
    """A lookup in the routing table: `fib daddr . iif type`."""

    flags: tuple[str, ...]
    result: str


class Routing(Record):
    """`rt KEY`: the result of routing."""

    key: str
    family: str | None = None


class Socket(Record):
    """`socket KEY`: the socket that a packet would reach."""

    key: str


class ExtensionHeader(Record):
    """An IPv6 extension header, an option of IPv4 or TCP (`tcp option maxseg`) or a chunk of SCTP, or one of its
    fields."""

    name: str
    field: str | None = None


class Numgen(Record):
    """A number from `offset` to `offset + modulus - 1`: uniformly random, or counted up (`inc`)."""

    random: bool
    modulus: int
    offset: int = 0


class Hash(Record):
    """`jhash EXPRESSION mod N`, or, without an expression, `symhash mod N`."""

    argument: Expression | None
    modulus: int
    seed: int | None = None
    offset: int = 0


class Concatenation(Record):
    """Several values looked up as one: `ip daddr . tcp dport`, `10.0.0.1 . 80`."""

    parts: tuple[Expression, ...]


class Binary(Record):
    """Arithmetic on bits. `operator` is `&`, `|`, `^`, `<<` or `>>`."""

    operator: str
    left: Expression
    right: Expression


class Prefix(Record):
    """The first `length` bits of a value: `10.0.0.0/8`; of a number too (`meta mark 0x80000000/1`)."""

    base: Constant
    length: int


class Range(Record):
    """First and last value, both included."""

    first: Constant
    last: Constant


class Flags(Record):
    """Several bits by name: `established,related`."""

    names: tuple[Constant, ...]


class SetReference(Record):
    """A set or map of the same table, by name."""

    name: str


class Element(Record):
    """One element of a set or map.

    `data` is the value that a map has for the key. `timeout` and `expires` are in seconds.
    """

    key: Expression
    data: Verdict | Expression | None = None
    comment: str | None = None
    timeout: int | None = None
    expires: int | None = None
    counter: Counter | None = None
    line: int = field(default=0, compare=False)


class SetLiteral(Record):
    """A set or map written out in the rule that uses it."""

    elements: Sequence[Element]


SetData = SetReference | SetLiteral


class MapLookup(Record):
    """The data that a map gives for a key: `numgen random mod 2 map { 0 : … }`."""

    key: Expression
    data: SetData


class Unread(Record):
    """Text that the grammar does not know: a statement, an element's key."""

    text: str


Expression = (
    int
    | str
    | Wildcard
    | Payload
    | Meta
    | Conntrack
    | Fib
    | Routing
    | Socket
    | ExtensionHeader
    | Numgen
    | Hash
    | Concatenation
    | Binary
    | Prefix
    | Range
    | Flags
    | SetReference
    | SetLiteral
    | MapLookup
    | Unread
)
