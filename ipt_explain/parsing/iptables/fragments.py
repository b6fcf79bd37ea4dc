"""Bare rule lines, as `iptables-save | grep NAME` leaves them: which table and family they come from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from ipt_explain.model import Chain, Family, Rule, Shape
from ipt_explain.model.kernel import TABLE_OF_TARGET
from ipt_explain.patterns import lazy_pattern

# Options whose value is an address, or names its family.
_TELLING_TARGET_OPTIONS = ("--to-destination", "--to-source", "--to", "--reject-with")
_TELLING_MATCH_OPTIONS = (("recent", "--mask"), ("iprange", "--src-range"), ("iprange", "--dst-range"))


def _family_of_rule(rule: Rule, slots_by_shape: dict[Shape, tuple[int, ...]]) -> Family | None:
    """The family that a rule's addresses show; None if it has none. `slots_by_shape` is a cache kept by the caller."""
    shape = rule.shape
    slots = slots_by_shape.get(shape)
    if slots is None:
        slots = slots_by_shape[shape] = _telling_slots(shape)
    for slot in slots:
        family = _family_of(rule.values[slot])
        if family is not None:
            return family
    return None


def _family_of(value: str) -> Family | None:
    """The family that a value shows: an IPv6 address has two colons or a bracket; `10.0.0.1:80` has one, `:80` no
    address."""
    if value.startswith(("[", "icmp6")) or value.count(":") > 1:
        return Family.IPV6
    return Family.IPV4 if "." in value or value.startswith("icmp-") else None


def family_of_rules(rules: Iterable[Rule]) -> Family | None:
    """The family of the first rule that shows one."""
    slots: dict[Shape, tuple[int, ...]] = {}
    for rule in rules:
        family = _family_of_rule(rule, slots)
        if family is not None:
            return family
    return None


def _telling_slots(shape: Shape) -> tuple[int, ...]:
    options = [shape.core_option("-s"), shape.core_option("-d")]
    options += [shape.target_option(name) for name in _TELLING_TARGET_OPTIONS]
    options += [shape.match_option(module, name) for module, name in _TELLING_MATCH_OPTIONS]
    return tuple(option.slots[0] for option in options if option is not None and option.slots)


_USUAL_TABLE = {**TABLE_OF_TARGET, "DROP": "filter", "TCPMSS": "mangle", "CONNMARK": "mangle"}
_TABLE_OF_CHAIN = {"POSTROUTING": "nat", "PREROUTING": "nat", "FORWARD": "filter", "INPUT": "filter"}

# Chains of well-known programs that occur in one table only. Rules cut out of a dump often show nothing else:
# a KUBE-SVC chain without its endpoints has no target that only the nat table knows.
_TABLE_OF_PREFIX = (
    ("KUBE-SVC-", "nat"), ("KUBE-SVL-", "nat"), ("KUBE-SEP-", "nat"), ("KUBE-XLB-", "nat"), ("KUBE-EXT-", "nat"),
    ("KUBE-FW-", "nat"), ("KUBE-MARK-", "nat"), ("KUBE-POSTROUTING", "nat"), ("KUBE-HP-", "nat"),
    ("KUBE-HOSTPORTS", "nat"), ("KUBE-LOAD-BALANCER", "nat"),
    ("KUBE-PORTALS-", "nat"), ("KUBE-FORWARD", "filter"), ("KUBE-EXTERNAL-SERVICES", "filter"),
    ("KUBE-FIREWALL", "filter"), ("KUBE-PROXY-FIREWALL", "filter"), ("CNI-DN-", "nat"), ("CNI-HOSTPORT-", "nat"),
)  # fmt: skip

_TABLES = dict(_TABLE_OF_PREFIX)
_KNOWN_PREFIX = lazy_pattern("|".join(_TABLES))

_TRAIL = 64
"""Blanks that may follow a text's last rule."""

_T = TypeVar("_T")

Place = tuple[Family | None, str]
"""A family, None where nothing tells it, and a table."""


def places_of(rules: Sequence[Rule], of_one_table: bool = False) -> list[Place]:
    """The family and table of each rule of a fragment. With `of_one_table`, rules that show no table get the one that
    most others show."""
    slots: dict[Shape, tuple[int, ...]] = {}
    families = _spread(rules, lambda rule: _family_of_rule(rule, slots))
    tables = _spread(rules, _table_of_rule)
    usual = "nat"
    if of_one_table:
        told = Counter(table for table in tables if table is not None)
        usual = max(told, key=lambda table: told[table], default=usual)
    return [(family, table or usual) for family, table in zip(families, tables)]


def own_rules(chain: Chain, table: str) -> Sequence[Rule] | None:
    """The rules of a chain that can be in a table; None if the whole chain is another table's. Only some are if two
    tables have chains of this name."""
    named = _table_of_name(chain.name)
    if named is not None:
        return chain.rules if named == table else None
    rules = chain.rules
    told = [_table_of_target(rule.target or "") for rule in rules]
    own = [rule for rule, of in zip(rules, told) if of in (None, table) or not _refuses(table, rule)]
    return rules if len(own) == len(rules) else own if table in told else None


_USUAL_CHAINS = (
    "KUBE-MARK-MASQ", "KUBE-MARK-DROP", "KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-FORWARD",
    "ACCEPT", "RETURN",
)  # fmt: skip
_NEED_OPTIONS = frozenset({"DNAT", "SNAT", "MARK"})
_HASHED = 25
"""Characters in the names of most chains that kube-proxy makes, such as KUBE-SVC-, which none is cut off from."""


def ends_in_half(rules: Sequence[Rule], text: str) -> bool:
    """Whether a text that ends with the last of these rules ends inside its target. That is so if the target's name is
    only the beginning of another rule's, or lacks an option that it needs."""
    name, shape = rules[-1].target, rules[-1].shape
    if name is None or (len(name) == _HASHED and name.startswith("KUBE-")):
        return False
    if shape.target is not None and shape.target.slot is None:
        return name in _NEED_OPTIONS and not shape.target.options
    if not text[-len(name) - _TRAIL :].rstrip().endswith(" " + name) or any(rule.chain == name for rule in rules):
        return False
    others = {rule.target or "" for rule in rules[:-1]}
    others.update(_USUAL_CHAINS, _USUAL_TABLE, (rule.chain for rule in rules))
    return name not in others and any(other.startswith(name) for other in others)


def _refuses(table: str, rule: Rule) -> bool:
    return table == "filter" or rule.target == "REJECT"


def _table_of_target(target: str) -> str | None:
    return _USUAL_TABLE.get(target) or _table_of_name(target)


def _table_of_rule(rule: Rule) -> str | None:
    chain, target, shape = rule.chain, rule.target or "", rule.shape
    table = _table_of_target(target) or _table_of_name(chain)
    if table is None and target == "ACCEPT":
        # In IPVS mode, nat leaves packets to a Service's address to IPVS.
        return "nat" if chain == "KUBE-SERVICES" and shape.has_match("set") else "filter"
    if chain in _TABLE_OF_CHAIN:
        filtering = shape.has_match("conntrack") or shape.has_match("state")
        return table or ("filter" if filtering and chain in ("FORWARD", "INPUT") else _TABLE_OF_CHAIN[chain])
    if table is None and chain == "OUTPUT":
        # kube-proxy hooks both; only its filter hook asks for new connections.
        return "filter" if shape.has_match("conntrack") else "nat"
    return table


def _table_of_name(name: str) -> str | None:
    found = _KNOWN_PREFIX.match(name)
    return None if found is None else _TABLES[found[0]]


def _spread(rules: Sequence[Rule], of_rule: Callable[[Rule], _T | None]) -> list[_T | None]:
    """What each rule shows by itself or, if it shows nothing, what the other rules of its chain, its target or its
    callers show.

    A chain that shows two things (KUBE-SERVICES is in nat and filter) says nothing about its other rules.
    """
    found = [of_rule(rule) for rule in rules]
    chains, targets = [rule.chain for rule in rules], [rule.target for rule in rules]
    shown: dict[str, set[_T]] = defaultdict(set)
    called: dict[str, set[_T]] = defaultdict(set)
    unknown: list[int] = []
    for index, value in enumerate(found):
        if value is None:
            unknown.append(index)
        else:
            shown[chains[index]].add(value)
            called[targets[index] or ""].add(value)
    for _ in range(_ROUNDS):
        changed = False
        for index in unknown:
            value = _only(shown.get(targets[index] or "")) or _only(shown.get(chains[index]))
            if value is not None:
                found[index] = value
                shown[chains[index]].add(value)
                called[targets[index] or ""].add(value)
                changed = True
        unknown = [index for index in unknown if found[index] is None]
        called.pop("", None)  # rules without a target
        for chain, values in called.items():
            if chain not in shown and len(values) == 1:
                shown[chain] = set(values)
                changed = True
        if not changed or not unknown:
            break
    return found


_ROUNDS = 4


def _only(values: set[_T] | None) -> _T | None:
    return next(iter(values)) if values is not None and len(values) == 1 else None
