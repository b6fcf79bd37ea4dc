"""The kinds of lines in a listing. Statements of rules are in the model."""

from __future__ import annotations

from ipt_explain.model.nft import Constant, Statement
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class Opening:
    """`KIND NAME {`: a table (with its family), chain, set, map, or an object whose content is skipped."""

    kind: str
    name: str
    family: str | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """`}`"""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """Statements; without any, a comment on the surrounding block."""

    statements: tuple[Statement, ...]
    comment: str | None


@dataclass(frozen=True, slots=True)
class Types:
    """The types of a set's keys, and of a map's data."""

    key: tuple[str, ...]
    data: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class BaseLine:
    """`type filter hook input priority …`; what the priority's name means depends on the table's family."""

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
    """A line, and its handle if `nft -a` shows one."""

    content: Content
    handle: int | None = None
