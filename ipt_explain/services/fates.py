"""What happens to new connections to a Service: the share that is served, the share that the Service itself refuses,
and the share that is lost on the way, with the rule that decides.
"""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.enums import Enum
from ipt_explain.records import dataclass

NAT_NOT_SHOWN = "rules of nat that this input does not show"
NOT_TRANSLATED = "no rule translates its destination"
"""The question of what becomes of connections whose rules of nat the text lacks."""


class Vantage(Enum):
    """From where a connection is made."""

    POD = "pod"  # an ordinary pod of this node, no endpoint of the Service
    NODE = "node"  # a process on the node
    OUTSIDE = "outside"  # a host that is neither pod nor node

    @property
    def origin(self) -> str:
        """Who connects: `pods`."""
        return {Vantage.POD: "pods", Vantage.NODE: "the node", Vantage.OUTSIDE: "outside"}[self]


class Loss(Enum):
    """How a connection is lost on its way to a Service that could serve it."""

    UNTRANSLATED = "untranslated"  # goes on to the Service's own address, where nobody answers
    DIVERTED = "diverted"  # sent to what is no endpoint of the Service
    INTERCEPTED = "intercepted"  # by a neighbour whose work that is, and which answers itself
    DROPPED = "dropped"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Decider:
    """The rule, or the chain by its policy or lack of a rule, that decides what happens to a packet.

    `ruleset` counts from 0, in the order of the dump; `line` is the rule's or the chain's declaration, None where the
    text has neither; `owner` is who wrote it, as far as known.
    """

    ruleset: int
    table: str | None
    chain: str | None
    line: int | None
    text: str
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """A share of connections that is lost. `verdict` is the kernel's (`ACCEPT`, `DROP`, `REJECT`, `UNKNOWN`); `dnat`
    where they are sent to instead; `why` says it in words. `when` is what must hold for it, where it hangs on what
    the dump cannot show; `by_source` tells that this is only where they come from, by address or interface.
    """

    probability: float
    how: Loss
    verdict: str
    dnat: str | None
    decider: Decider
    why: str
    when: tuple[str, ...] = ()
    by_source: bool = True


@dataclass(frozen=True, slots=True)
class Fate:
    """What new connections to one frontend meet from one vantage point, over all hooks, tables and backends.

    `served`, `refused` and the shares of `lost` sum to 1. Where they hang on what the dump cannot show, `served` and
    `refused` are None, `open` names the questions, `lost` holds what is lost whatever the answers, and `perhaps` what
    is lost under some of them. `refused` is the share that the Service's own rules decline (no endpoints, policy Local,
    source ranges); `enforced` whether it is then dropped or rejected, None where nothing is refused. `masqueraded` is
    None where it depends on the endpoint or on something open, or where nothing is served.
    """

    served: float | None
    refused: float | None
    enforced: bool | None
    masqueraded: bool | None
    open: tuple[str, ...] = ()
    lost: tuple[Lost, ...] = ()
    perhaps: tuple[Lost, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing is lost, and nothing open."""
        return not self.lost and not self.open

    @property
    def has_unknown(self) -> bool:
        """Whether some connections meet what nobody can tell, as rules that a fragment lacks."""
        some = self.lost or self.perhaps
        return bool(some) and any(lost.how is Loss.UNKNOWN for lost in (*self.lost, *self.perhaps))


@dataclass(frozen=True, slots=True)
class Fates:
    """The fates of one frontend by vantage point."""

    pod: Fate
    node: Fate
    outside: Fate

    @property
    def open(self) -> tuple[str, ...]:
        """The questions that any of them leaves open."""
        return tuple(dict.fromkeys((*self.pod.open, *self.node.open, *self.outside.open)))

    def items(self) -> Iterator[tuple[Vantage, Fate]]:
        """Each vantage point with its fate."""
        yield Vantage.POD, self.pod
        yield Vantage.NODE, self.node
        yield Vantage.OUTSIDE, self.outside
