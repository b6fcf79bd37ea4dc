"""What a line of a listing can be, apart from a rule's statements, which are the model's."""

from __future__ import annotations

from ipt_explain.model.nft import Constant, Statement
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class Opening:
    """`KIND NAME {`: a table (with its family), chain, set, map, or one of the objects that are not looked into."""

    kind: str
    name: str
    family: str | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """`}`"""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """Statements; where there are none, a comment on the block that it stands in."""

    statements: tuple[Statement, ...]
    comment: str | None


@dataclass(frozen=True, slots=True)
class Types:
    """The types of a set's keys, and of a map's data."""

    key: tuple[str, ...]
    data: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class BaseLine:
    """`type filter hook input priority …`; the priority's name still depends on the table's family."""

    type: str
    hook: str
    name: str | None
    offset: int
    policy: str
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a set or table: `flags`, `timeout` (seconds), `size`, …"""

    name: str
    value: Constant | tuple[str, ...] | None = None


Content = Opening | Closing | RuleLine | Types | BaseLine | Property


@dataclass(frozen=True, slots=True)
class Line:
    """A line, and the handle that `nft -a` shows."""

    content: Content
    handle: int | None = None
