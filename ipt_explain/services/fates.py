"""What happens to new connections to a Service: the share that is served, the share that the Service itself refuses,
and the share that is lost on the way, each with the rule that decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ipt_explain.enums import Enum
from ipt_explain.records import Record

if TYPE_CHECKING:
    from ipt_explain.netfilter.assumptions import Assumption

NAT_NOT_SHOWN = "rules of nat that this input does not show"
FILTER_NOT_SHOWN = "rules of filter that this input does not show"
NFT_NOT_SHOWN = "rules of nftables that this input does not show"
SERVERS_NOT_SHOWN = "virtual servers of IPVS"
NOT_SHOWN = frozenset({NAT_NOT_SHOWN, FILTER_NOT_SHOWN, NFT_NOT_SHOWN, SERVERS_NOT_SHOWN})
NOT_TRANSLATED = "no rule translates its destination"
NOT_TAKEN = "no virtual server takes the packet"
NODE_GETS_IT = f"{NOT_TAKEN}, which the node itself gets"
ACCEPTED_FIRST = "this rule lets pass what kube-proxy would refuse"
PAST_IPVS = "the packet does not go to the node itself, where IPVS would take it"
"""Reasons for unknown and for untranslated connections."""


def is_clause(question: str) -> bool:
    """Whether an open question is a clause (`10.0.0.1 is an address of this node`), not part of a rule (`-i cali+`)."""
    return question not in NOT_SHOWN and (
        question.startswith(("rules ", "line ")) or (" is " in question and not question.startswith("-"))
    )


def depending_on(question: str) -> str:
    """An open question after "depending on": `whether 10.0.0.1 is an address of this node`, or in backticks if it is
    part of a rule, as that may hold commas and `and`."""
    if question in NOT_SHOWN:
        return question
    part, _, rest = question.partition(" and rules ")
    if rest:  # the conditions of a rule, and what its listing leaves open
        return f"{depending_on(part)} and whether rules {rest}"
    return f"whether {question}" if is_clause(question) else f"`{question}`"


class Vantage(Enum):
    """Where a connection comes from."""

    POD = "pod"  # an ordinary pod of this node that is not an endpoint of the Service
    NODE = "node"  # a process on the node
    OUTSIDE = "outside"  # a host that is neither pod nor node

    @property
    def origin(self) -> str:
        """Who connects: `pods`."""
        return {Vantage.POD: "pods", Vantage.NODE: "the node", Vantage.OUTSIDE: "outside"}[self]


class Loss(Enum):
    """How a connection is lost on its way to a Service that could serve it."""

    UNTRANSLATED = "untranslated"  # continues to the Service's own address, where nothing answers
    DIVERTED = "diverted"  # sent to an address that is not an endpoint of the Service
    INTERCEPTED = "intercepted"  # answered by another program on purpose
    DROPPED = "dropped"
    REJECTED = "rejected"
    UNANSWERED = "unanswered"  # reaches an endpoint, but replies or what follows them are stopped
    UNKNOWN = "unknown"


class CutOff(Enum):
    """What stops a connection that reaches its endpoint: the reasons for Loss.UNANSWERED, in words."""

    REPLIES_DROPPED = "replies are dropped"
    REPLIES_REJECTED = "replies are rejected"
    REPLIES_UNRECOGNISED = "replies are not recognised"  # by connection tracking, so that NAT is not undone
    LATER_DROPPED = "later packets are dropped"
    LATER_REJECTED = "later packets are rejected"
    LATER_UNRECOGNISED = "later packets are not recognised"


class Decider(Record):
    """The rule that decides what happens to a packet, or a chain by its policy or because it lacks a rule.

    `ruleset` counts from 0, in the order of the dump. `line` is that of the rule. For a chain it is that of its last
    rule for an endpoint, which lets pass what no other rule takes; in chains without such rules, that of the chain's
    declaration. It is None if the text has none of these. `owner` is who wrote it, if known.
    """

    ruleset: int
    table: str | None
    chain: str | None
    line: int | None
    text: str
    owner: str | None = None
    is_rule: bool = False

    @property
    def place(self) -> str:
        """Table and chain, as far as known: `nat PREROUTING`."""
        return " ".join(filter(None, (self.table, self.chain)))


class Lost(Record):
    """A share of connections that is lost (0 to 1).

    `verdict` is the kernel's (`ACCEPT`, `DROP`, `REJECT`, `UNKNOWN`); `dnat` is where they go instead; `why` is the
    reason in words (a CutOff's if they are unanswered). `when` are conditions that the dump does not decide.
    """

    probability: float
    how: Loss
    verdict: str
    dnat: str | None
    decider: Decider
    why: str
    when: tuple[Assumption, ...] = ()

    def depends_only_on(self, starts: tuple[str, ...]) -> bool:
        """Whether all that the dump leaves open is asked by matches that begin with one of these: `-s `, `-i `."""
        return self.how is not Loss.UNKNOWN and all(
            text.startswith(starts) for each in self.when for text, _ in each.literals
        )

    def is_ordinary(self, vantage: Vantage) -> bool:
        """Whether it depends only on where connections come from, on interfaces and sets, as it does on healthy nodes,
        or stops only segment sizes that nobody uses, and perhaps on which addresses are the node's; but not if it stops
        a part of this node's pods by address."""
        from ipt_explain.netfilter.assumptions import OF_ORIGIN, SOURCES, is_odd_mss
        from ipt_explain.netfilter.condition import OF_THIS_NODE

        by_pod = vantage is Vantage.POD and self.depends_only_on(SOURCES)
        asked = [
            text.startswith(OF_ORIGIN)
            or ((each.hold or len(each.literals) == 1) and is_odd_mss(text, answer is each.hold))
            for each in self.when
            for text, answer in each.literals
            if not text.endswith(OF_THIS_NODE)
        ]
        of_origin = all(asked) and (bool(asked) or not self.when)
        return of_origin and self.how is not Loss.UNKNOWN and not by_pod

    def is_here(self, address: str | None) -> bool:
        """Whether it depends only on whether the node has an address that is not this one: an endpoint's."""
        from ipt_explain.netfilter.condition import OF_THIS_NODE

        literals = [literal for each in self.when if each.hold for literal in each.literals]
        return len(literals) == len(self.when) > 0 and all(
            yes and text.endswith(OF_THIS_NODE) and text != f"{address}{OF_THIS_NODE}" for text, yes in literals
        )


class Unmasqueraded(Record):
    """Why connections that are marked for masquerading keep their source: by which rule, or for lack of a rule in which
    chain, and in words."""

    decider: Decider
    why: str


class Fate(Record):
    """What happens to new connections to one frontend from one vantage point, across all hooks, tables and backends.

    `served`, `refused` and the shares of `lost` sum to 1. If they depend on what the dump does not show, `served` and
    `refused` are None, `open` has the questions, `lost` what is lost whatever the answers, and `perhaps` what is lost
    for some answers. `refused` is the share that the Service's own rules decline (no endpoints, policy Local, source
    ranges); `enforced` says whether these are really dropped or rejected, None if nothing is refused. `masqueraded` is
    None if it depends on the endpoint or an open question, or if nothing is served.
    """

    served: float | None
    refused: float | None
    enforced: bool | None
    masqueraded: bool | None
    open: tuple[str, ...] = ()
    lost: tuple[Lost, ...] = ()
    perhaps: tuple[Lost, ...] = ()

    def __hash__(self) -> int:
        # Those of many Services are looked up; they differ in nothing else, or in what these say.
        return hash((self.served, self.masqueraded, self.open, self.lost))

    @property
    def has_unknown(self) -> bool:
        """Whether the end of some connections is unknown, for example because a fragment lacks rules."""
        some = self.lost or self.perhaps
        return bool(some) and any(lost.how is Loss.UNKNOWN for lost in (*self.lost, *self.perhaps))


class Fates(Record):
    """The fates of one frontend by vantage point."""

    pod: Fate
    node: Fate
    outside: Fate

    @property
    def open(self) -> tuple[str, ...]:
        """The open questions of all vantage points."""
        return tuple(dict.fromkeys((*self.pod.open, *self.node.open, *self.outside.open)))

    @property
    def loses_any(self) -> bool:
        """Whether connections from any vantage point are lost."""
        return bool(self.pod.lost or self.node.lost or self.outside.lost)

    @property
    def may_lose_any(self) -> bool:
        """Whether connections from any vantage point are lost, or may be."""
        return self.loses_any or bool(self.pod.perhaps or self.node.perhaps or self.outside.perhaps)

    def items(self) -> Iterator[tuple[Vantage, Fate]]:
        """Each vantage point and its fate."""
        yield Vantage.POD, self.pod
        yield Vantage.NODE, self.node
        yield Vantage.OUTSIDE, self.outside
