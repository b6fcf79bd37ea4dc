"""The kinds of lines in a listing. Statements of rules are in the model."""

from __future__ import annotations

from ipt_explain.model import nft
from ipt_explain.records import Record


class BlockOpening(Record):
    """`KIND NAME {`: a table (with its family), chain, set, map, or an object whose content is skipped."""

    kind: str
    name: str
    family: str | None = None


class Closing(Record):
    """`}`"""


class RuleLine(Record):
    """Statements; without any, a comment on the surrounding block."""

    statements: tuple[nft.Statement, ...]
    comment: str | None


class Types(Record):
    """The types of a set's keys, and of a map's data."""

    key: tuple[str, ...]
    data: tuple[str, ...] | None = None


class BaseLine(Record):
    """`type filter hook input priority …`; what the priority's name means depends on the table's family."""

    type: str
    hook: str
    name: str | None
    offset: int
    policy: str
    devices: tuple[str, ...]


class Property(Record):
    """A property of a set or table: `flags`, `timeout` (seconds), `size`, …"""

    name: str
    value: nft.Constant | tuple[str, ...] | None = None


Content = BlockOpening | Closing | RuleLine | Types | BaseLine | Property


class Line(Record):
    """A line, and its handle if `nft -a` shows one."""

    content: Content
    handle: int | None = None
