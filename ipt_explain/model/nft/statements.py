"""The statements of a rule. They run in the order written; one that does not match ends the rule."""

from __future__ import annotations

from ipt_explain.enums import Enum
from ipt_explain.model.nft.expressions import Constant, Expression, SetData, SetReference, Unread
from ipt_explain.model.nft.verdicts import Counter, Verdict
from ipt_explain.records import Record


class Operator(Enum):
    """How a match compares. `IN` is the implicit operator of bit fields (`ct state new`): any of the bits is set."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    GREATER = ">"
    AT_MOST = "<="
    AT_LEAST = ">="
    IN = "in"


class Match(Record):
    """A comparison; with a set on the right, whether the set holds the left side."""

    left: Expression
    operator: Operator
    right: Expression


class VerdictMap(Record):
    """A verdict looked up by a key. If the map lacks the key, the rule does not match."""

    key: Expression
    data: SetData


class NatKind(Enum):
    """Which address is rewritten, and to what."""

    DNAT = "dnat"
    SNAT = "snat"
    MASQUERADE = "masquerade"
    REDIRECT = "redirect"


class Nat(Record):
    """Rewrites a destination or source, and accepts.

    `address` and `port` are None if they stay unchanged. A map may give both at once: `address` is then a
    MapLookup whose data are concatenations. `family` is that of the address if the table has both. `flags` are
    `random`, `fully-random`, `persistent`; `prefix` keeps the host's bits (`dnat ip prefix to`).
    """

    kind: NatKind
    address: Expression | None = None
    port: Expression | None = None
    flags: frozenset[str] = frozenset()
    family: str | None = None
    prefix: bool = False


class Mangle(Record):
    """Writes a mark, a header field, a helper."""

    target: Expression
    value: Expression


class Limit(Record):
    """Matches below a rate of packets or bytes, or `over` it. `unit` is `packets`, `bytes`, `kbytes`, …"""

    rate: int = 0
    unit: str = "packets"
    per: str = "second"
    burst: int = 0
    burst_unit: str = "packets"
    over: bool = False
    name: str | None = None


class Quota(Record):
    """Matches until a number of bytes has passed, or `over` it."""

    amount: int = 0
    unit: str = "bytes"
    over: bool = False
    used: int = 0
    used_unit: str = "bytes"
    name: str | None = None


class CountLimit(Record):
    """`ct count [over] N`: limits the number of connections."""

    count: int
    over: bool = False


class Log(Record):
    """Writes a log line: options by name, sorted; flags as `tcp sequence`."""

    options: tuple[tuple[str, Constant], ...] = ()
    flags: tuple[str, ...] = ()


class Reject(Record):
    """Refuses with an answer. `kind` and `code` are None for the default, port unreachable."""

    kind: str | None = None
    code: Constant | None = None


class SetUpdate(Record):
    """Adds a key to a set (`add`, `update`) or removes it (`delete`).

    `statements` belong to the element: if one of them does not match (a limit), neither does the rule.
    """

    operation: str
    target: SetReference
    key: Expression
    timeout: int | None = None
    statements: tuple[Statement, ...] = ()
    data: Expression | None = None


class Notrack(Record):
    """Keeps the packet out of connection tracking."""


class FlowOffload(Record):
    """Hands the connection's later packets to a flow table."""

    table: SetReference


class Aside(Record):
    """A statement that does not affect what happens to the packet: `dup`, `last`."""

    text: str


class Xtables(Record):
    """A match or target of iptables that nft cannot print, or prints without its options.

    `kind` is `match`, `target` or `watcher`; `name` is the module's.
    """

    kind: str
    name: str


Statement = (
    Match
    | VerdictMap
    | Verdict
    | Nat
    | Mangle
    | Counter
    | Limit
    | Quota
    | CountLimit
    | Log
    | Reject
    | SetUpdate
    | Notrack
    | FlowOffload
    | Aside
    | Xtables
    | Unread
)
