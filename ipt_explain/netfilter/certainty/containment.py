"""Whether every packet that one rule matches is also matched by another: exact or not at all, never guessed.

Rules are split into constraints, each on one dimension of a packet (its destination, its destination port, its
connection's state, …). A rule contains another if each of its constraints is implied by one of the other's on the same
dimension. Matches that change from packet to packet or have a state of their own (`statistic`, `limit`, `recent`,
`set`, marks that rules in between may change) can narrow the contained rule, but a rule that has one contains nothing.
"""

from __future__ import annotations

from collections.abc import Hashable

from ipt_explain.enums import Enum
from ipt_explain.model import Option, Rule, Shape
from ipt_explain.netfilter.header import network_bits, parse_port_list, parse_port_range
from ipt_explain.records import Record


class Nesting(Enum):
    """How the values of a dimension relate to each other."""

    ADDRESS = "address"  # networks contain each other
    PORTS = "ports"  # so do ranges
    INTERFACE = "interface"  # and names that end in +
    STATES = "states"  # and sets
    EXACT = "exact"  # anything else is equal or not comparable


class Constraint(Record):
    """One condition of a shape: the dimension that it limits, and the option with its value."""

    dimension: str
    kind: Nesting
    option: Option

    def value(self, rule: Rule) -> Hashable:
        """The limit that a rule of this shape sets. Raises ValueError if it cannot be read."""
        arguments = rule.arguments(self.option)
        if self.kind is Nesting.ADDRESS:
            return network_bits(arguments[0])
        if self.kind is Nesting.PORTS:
            return parse_port_list(arguments[0]) if "," in arguments[0] else (parse_port_range(arguments[0]),)
        if self.kind is Nesting.STATES:
            return frozenset(arguments[0].split(","))
        if self.kind is Nesting.INTERFACE:
            return arguments[0]
        return arguments


class Conditions(Record):
    """The constraints of a shape, by dimension. `fixed`: they are all, and each dimension is limited once."""

    by_dimension: dict[str, Constraint]
    fixed: bool


_PORT_MODULES = frozenset({"tcp", "udp", "udplite", "sctp", "dccp"})
# Modules whose options each narrow the rule by a property of the packet or its connection, independently of each other.
_FIXED = _PORT_MODULES | {
    "icmp", "icmp6", "multiport", "iprange", "addrtype", "conntrack", "state", "owner", "mac", "pkttype", "physdev",
    "esp", "ah",
}  # fmt: skip
_PORT_OPTIONS = {"--dport": "--dport", "--dports": "--dport", "--sport": "--sport", "--sports": "--sport"}
_CORE_KINDS = {
    "-s": Nesting.ADDRESS,
    "-d": Nesting.ADDRESS,
    "-i": Nesting.INTERFACE,
    "-o": Nesting.INTERFACE,
}


def shape_conditions(shape: Shape) -> Conditions:
    """The conditions of a shape's rules."""
    constraints = constraints_of(shape)
    comparable = all(match.module in _FIXED or match.module == "comment" for match in shape.matches)
    single = all(len(same) == 1 for same in constraints.values())
    return Conditions({dimension: same[0] for dimension, same in constraints.items()}, comparable and single)


def constraints_of(shape: Shape) -> dict[str, list[Constraint]]:
    """The constraints of a shape that can be compared, by dimension; other matches are left out."""
    found: dict[str, list[Constraint]] = {}
    for option in shape.core:
        kind = _CORE_KINDS.get(option.name, Nesting.EXACT)
        found.setdefault(option.name, []).append(Constraint(option.name, kind, option))
    for match in shape.matches:
        if match.module in _FIXED:
            limited = any(option.name.startswith("--limit-iface") for option in match.options)
            for option in match.options:
                constraint = _constraint(match.module, option, limited)
                found.setdefault(constraint.dimension, []).append(constraint)
    return found


def _constraint(module: str, option: Option, limited: bool) -> Constraint:
    if module in _PORT_MODULES or module == "multiport":
        dimension = _PORT_OPTIONS.get(option.name)
        if dimension is not None:
            return Constraint(dimension, Nesting.PORTS, option)
    if option.name in ("--ctstate", "--state"):
        return Constraint("--ctstate", Nesting.STATES, option)
    # addrtype's --limit-iface changes what its other options mean, so it makes dimensions of their own.
    return Constraint(f"{module} {option.name}{' limited' if limited else ''}", Nesting.EXACT, option)


def may_contain(wide: Conditions, narrow: Conditions) -> bool:
    """Whether rules of one shape could contain rules of another, whatever their values."""
    return wide.fixed and wide.by_dimension.keys() <= narrow.by_dimension.keys()


def contains(wide_conditions: Conditions, wide: Rule, narrow_conditions: Conditions, narrow: Rule) -> bool:
    """Whether every packet that `narrow` matches would be matched by `wide`."""
    if not may_contain(wide_conditions, narrow_conditions):
        return False
    try:
        return all(
            _implied(constraint, wide, narrow_conditions.by_dimension[dimension], narrow)
            for dimension, constraint in wide_conditions.by_dimension.items()
        )
    except ValueError:  # a value that this program cannot read is not compared
        return False


def _implied(wide: Constraint, wide_rule: Rule, narrow: Constraint, narrow_rule: Rule) -> bool:
    """Whether every value that satisfies one constraint satisfies the other, on the same dimension. Raises ValueError
    for unreadable values."""
    outer, inner = wide.value(wide_rule), narrow.value(narrow_rule)
    without, inner_without = wide.option.negated, narrow.option.negated
    if wide.kind is not narrow.kind:
        return False
    if outer == inner:
        return without == inner_without
    if without and inner_without:
        return holds(wide.kind, inner, outer)
    if without:
        return apart(wide.kind, outer, inner)
    return not inner_without and holds(wide.kind, outer, inner)


def holds(kind: Nesting, outer: Hashable, inner: Hashable) -> bool:
    """Whether one set of values lies within another."""
    if kind is Nesting.ADDRESS and isinstance(outer, tuple) and isinstance(inner, tuple):
        return bool(inner[1] & outer[1] == outer[1] and inner[0] & outer[1] == outer[0])
    if kind is Nesting.PORTS and isinstance(outer, tuple) and isinstance(inner, tuple):
        return all(any(low <= first and last <= high for low, high in outer) for first, last in inner)
    if kind is Nesting.STATES and isinstance(outer, frozenset) and isinstance(inner, frozenset):
        return inner <= outer
    if kind is Nesting.INTERFACE and isinstance(outer, str) and isinstance(inner, str):
        return outer.endswith("+") and inner.startswith(outer[:-1])
    return False


def apart(kind: Nesting, left: Hashable, right: Hashable) -> bool:
    """Whether two sets of values have nothing in common."""
    if kind is Nesting.ADDRESS and isinstance(left, tuple) and isinstance(right, tuple):
        common = left[1] & right[1]
        return bool((left[0] ^ right[0]) & common)
    if kind is Nesting.PORTS and isinstance(left, tuple) and isinstance(right, tuple):
        return all(last < low or high < first for first, last in left for low, high in right)
    if kind is Nesting.STATES and isinstance(left, frozenset) and isinstance(right, frozenset):
        return left.isdisjoint(right) and left | right <= EXCLUSIVE_STATES
    return False


# --ctstate also takes SNAT and DNAT, which come together with one of these.
EXCLUSIVE_STATES = frozenset({"NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"})
