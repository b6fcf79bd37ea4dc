"""A picture of the chain graph, independent of its format: chains, jumps, and their labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ipt_explain.analyzers.owners.owner import owner_of
from ipt_explain.analyzers.profiles.chains import TablePlace
from ipt_explain.enums import Enum
from ipt_explain.graph.neighbourhood import Neighbourhood
from ipt_explain.model import Chain, Rule
from ipt_explain.netfilter.hooks import is_built_in
from ipt_explain.records import dataclass
from ipt_explain.render.english.edge_labels import edge_label, share_words, shares
from ipt_explain.render.graph.notes import Notes, Role
from ipt_explain.render.text.safe import escape
from ipt_explain.words.counts import and_more
from ipt_explain.words.percents import percent

if TYPE_CHECKING:
    from ipt_explain.model.nft import Rule as NftRule

# Kinds of chains: `unknown` is a jump's target that a fragment does not show, `missing` one that does not exist.
BUILT_IN, CHAIN, MISSING, UNKNOWN = "built-in", "chain", "missing", "unknown"

SHOWN_ENDS = 3
LONGEST = 120


@dataclass(frozen=True, slots=True)
class DrawnChain:
    """A chain in a picture. All text is escaped.

    `ends` are the actions of its rules other than jumps: `DNAT 10.244.1.9:8080`, `REJECT`, `policy DROP`. `service` is
    the Service that it belongs to, `about` has lines on that, `unmatched` is the share of connections that leave it
    without an endpoint, and `faults` are the audit's findings about it.
    """

    id: str
    group: str
    name: str
    kind: str
    owner: str | None
    purpose: str | None
    rules: int
    ends: tuple[str, ...]
    line: int | None
    service: str | None = None
    role: Role | None = None
    about: tuple[str, ...] = ()
    unmatched: float | None = None
    faults: tuple[str, ...] = ()

    @property
    def leaks(self) -> bool:
        """Whether some connections leave it without an endpoint."""
        return bool(self.unmatched)

    @property
    def lines(self) -> list[str]:
        """The text of its box: its owner, its name, what it does, what is wrong with it."""
        return [*self.about, shortened(self.name), *self.ends, *self.faults]


@dataclass(frozen=True, slots=True)
class DrawnJump:
    """A jump in a picture. `share` is its part of the packets that reach the chain's `statistic` rules; `faulty` says
    that a finding is about its rule. `key` distinguishes jumps between the same two chains; `line` is None if the input
    has no lines.
    """

    source: str
    target: str
    line: int | None
    rule: Rule | NftRule
    label: str
    goto: bool
    share: float | None
    faulty: bool
    key: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture: chains by group (a table of a ruleset), and jumps."""

    chains: tuple[DrawnChain, ...]
    jumps: tuple[DrawnJump, ...]


def drawing(parts: Sequence[tuple[TablePlace, Neighbourhood]], notes: Notes | None = None) -> Drawing:
    """Draw tables, or parts of them, with notes on Services and faults."""
    notes = notes or Notes()
    chains: list[DrawnChain] = []
    jumps: list[DrawnJump] = []
    for group, (place, part) in zip(_groups([place for place, _ in parts]), parts):
        chains += [_chain(group, name, place, notes) for name in part.chains]
        jumps += _jumps(group, place, part, notes)
    return Drawing(tuple(chains), tuple(jumps))


def _groups(places: Sequence[TablePlace]) -> list[str]:
    """A name for each table: `nat`, prefixed with family and source if the table occurs several times."""
    plain = [escape(place.table.name) for place in places]
    if len(set(plain)) == len(plain):
        return plain
    families = [f"{place.ruleset.family.value}/{name}" for place, name in zip(places, plain)]
    if len(set(families)) == len(families):
        return families
    sources = [escape(place.ruleset.source) for place in places]
    return [f"{number}/{source}/{name}" for number, (source, name) in enumerate(zip(sources, families), start=1)]


def _id(group: str, chain: str) -> str:
    return f"{group}/{escape(chain)}"


def _chain(group: str, name: str, place: TablePlace, notes: Notes) -> DrawnChain:
    chain = place.table.chains.get(name)
    note = notes.of_chain(place.ruleset, name) if place.table.name == "nat" else None
    owner = owner_of(name, chain.rules if chain is not None else (), place.table.name)
    return DrawnChain(
        _id(group, name),
        group,
        escape(name),
        _kind(name, place),
        owner.name if owner is not None else None,
        owner.purpose if owner is not None else None,
        len(chain.rules) if chain is not None else 0,
        _ends(chain, place) if chain is not None else (),
        chain.line if chain is not None else None,
        service=escape(note.service) if note is not None else None,
        role=note.role if note is not None else None,
        about=tuple(shortened(escape(line)) for line in note.lines) if note is not None else (),
        unmatched=note.unmatched if note is not None else None,
        faults=notes.faults_of(place.ruleset, place.table.name, name),
    )


def _kind(name: str, place: TablePlace) -> str:
    if is_built_in(place.table.name, name):
        return BUILT_IN
    if name in place.table.chains:
        return CHAIN
    return UNKNOWN if place.ruleset.fragment else MISSING


def _ends(chain: Chain, place: TablePlace) -> tuple[str, ...]:
    jumping = set(map(id, place.graph.jumping_rules(chain.name)))
    found: dict[str, None] = {}
    for rule in chain.rules:
        if id(rule) not in jumping and rule.target is not None:
            found[_end(rule)] = None
            if len(found) > SHOWN_ENDS:
                break
    ends = list(found)[:SHOWN_ENDS] + (["…"] if len(found) > SHOWN_ENDS else [])
    return (*ends, f"policy {escape(chain.policy)}") if chain.policy is not None else tuple(ends)


def _end(rule: Rule) -> str:
    """What a rule's target does, by its name and first value."""
    target = rule.shape.target
    values = [rule.first(option) for option in target.options] if target is not None else []
    first = next((value for value in values if value), "")
    return shortened(escape(f"{rule.target} {first}".rstrip()))


def _jumps(group: str, place: TablePlace, part: Neighbourhood, notes: Notes) -> Iterable[DrawnJump]:
    share_of: dict[int, float] = {}
    words: dict[int, str] = {}
    source = None
    for jump in part.jumps:
        if jump.source != source:
            source = jump.source
            share_of = shares(place.table.chains[source].rules)
            words = share_words(share_of)
        rule = jump.rule
        yield DrawnJump(
            _id(group, jump.source),
            _id(group, jump.target),
            rule.line,
            rule,
            escape(edge_label(rule, words.get(id(rule)))),
            jump.goto,
            share_of.get(id(rule)),
            notes.is_faulty(place.ruleset, rule.line),
            rule.line,
        )


def shortened(text: str) -> str:
    """A text cut to fit into a picture."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def parallel(jumps: Iterable[DrawnJump]) -> dict[tuple[str, str, bool, bool], list[DrawnJump]]:
    """Group jumps between the same two chains, faulty ones separately: a picture has one arrow per group."""
    together: dict[tuple[str, str, bool, bool], list[DrawnJump]] = {}
    for jump in jumps:
        together.setdefault((jump.source, jump.target, jump.goto, jump.faulty), []).append(jump)
    return together


SHOWN_LABELS = 4


def labels(jumps: Sequence[DrawnJump]) -> list[str]:
    """The lines of one arrow: a few labels, and how many more there are."""
    words = list(dict.fromkeys(shortened(jump.label) for jump in jumps))
    if len(words) > SHOWN_LABELS:
        return [*words[: SHOWN_LABELS - 1], and_more(len(words) - SHOWN_LABELS + 1).strip()]
    return words if any(words) else []


class Look(Enum):
    """How a box looks, and what the legend says about that."""

    FAULT = "a fault"
    BUILT_IN = "built-in chain"
    SERVICE = "a Service's chain"
    ENDPOINT = "an endpoint's chain"
    MISSING = "does not exist"
    UNKNOWN = "not in this text"
    PLAIN = "another chain"


def look_of(chain: DrawnChain) -> Look:
    """How a chain's box looks: a fault matters more than the chain's kind."""
    if chain.faults:
        return Look.FAULT
    if chain.role is not None and chain.kind == CHAIN:
        return Look.SERVICE if chain.role is Role.SERVICE else Look.ENDPOINT
    return {BUILT_IN: Look.BUILT_IN, MISSING: Look.MISSING, UNKNOWN: Look.UNKNOWN}.get(chain.kind, Look.PLAIN)


def leak_label(chain: DrawnChain) -> str:
    """The label of the arrow that leaves a leaking chain."""
    return percent(chain.unmatched or 0.0)


LEAK = "no endpoint: leaves untranslated"


def looks(drawing: Drawing) -> list[Look]:
    """The looks that occur, for the legend."""
    found = {look_of(chain) for chain in drawing.chains}
    return [look for look in Look if look in found]
