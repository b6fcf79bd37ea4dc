"""Other programs' rules that set, clear or act on the bit with which kube-proxy marks packets for masquerading."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.enums import Enum
from ipt_explain.model import Rule, Shape
from ipt_explain.model.by_shape import RulesByShape
from ipt_explain.netfilter.marks import ALL_BITS, MARKING_TARGETS, change_by, mark_test, parse_integer
from ipt_explain.records import Record


class Collision(Enum):
    """What another program's rule does with the bit."""

    SETS = "sets it"
    CLEARS = "clears it"
    DROPS = "drops packets for it"


class MarkCollision(Record):
    """A rule that affects the bit, with its table."""

    table: str
    rule: Rule
    collision: Collision


# cilium clears the bit on packets from its own device; calico and others leave it alone.
_COOPERATING = ("KUBE-", "CILIUM_", "OLD_CILIUM_")
_TARGETS = MARKING_TARGETS | {"DROP", "REJECT"}


def mark_collisions(shapes: RulesByShape, bit: int) -> tuple[MarkCollision, ...]:
    """All collisions, in the order of the text. `shapes` are the ruleset's rules by table and shape."""
    found = [
        MarkCollision(table, rule, collision)
        for table, forms in shapes.items()
        for shape, rules in forms.items()
        if shape.target is not None and shape.target.name in _TARGETS and _concerns_marks(shape)
        for rule in rules
        if not rule.chain.startswith(_COOPERATING)
        for collision in _collisions(rule, bit)
    ]
    return tuple(sorted(found, key=lambda each: each.rule.line))


def _concerns_marks(shape: Shape) -> bool:
    return shape.target is not None and (shape.target.name in MARKING_TARGETS or shape.has_match("mark"))


def _collisions(rule: Rule, bit: int) -> Iterator[Collision]:
    if rule.target in ("DROP", "REJECT"):
        test = mark_test(rule)
        if test is not None and test.passes(bit) and not test.passes(0):
            yield Collision.DROPS
        return
    change = change_by(rule)
    if change is not None:
        if change.apply(0) & bit:
            yield Collision.SETS
        elif not change.apply(bit) & bit:
            yield Collision.CLEARS
    elif rule.target == "CONNMARK" and _restored(rule) & bit:
        yield Collision.CLEARS


def _restored(rule: Rule) -> int:
    """The bits of a packet's mark that a CONNMARK rule replaces with the connection's."""
    if rule.shape.target_option("--restore-mark") is None:
        return 0
    mask = rule.target_value("--nfmask") or rule.target_value("--mask")
    try:
        return ALL_BITS if mask is None else parse_integer(mask)
    except ValueError:
        return 0
