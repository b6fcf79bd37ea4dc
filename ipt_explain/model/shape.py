"""Shapes: what rules of one form share, which is everything but their values.

A dump of 300,000 rules has only a few dozen shapes. A rule is a reference to its shape plus its own values. Questions
such as "which value is the destination?" are answered once, by the shape.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from weakref import WeakValueDictionary

from ipt_explain.enums import Enum
from ipt_explain.records import Record


class Command(Enum):
    """What a rule line does to its chain. Dumps only append; restore input has the others, too."""

    APPEND = "-A"
    INSERT = "-I"
    DELETE = "-D"
    REPLACE = "-R"


class TargetKind(Enum):
    """How a rule hands the packet on."""

    JUMP = "-j"
    GOTO = "-g"


class Hidden(Enum):
    """What a rule may have that its text does not show. Such a rule is never known to match, or to do only what is
    shown."""

    INTERFACES = "interfaces"  # `iptables -L` without -v prints no -i and no -o
    CONDITIONS = "conditions"  # words of a listing that no known match prints, `-m NAME [unsupported revision]`
    TARGET = "target"  # what the target does in detail: `-j DNAT [unsupported revision]`


class Option(Record):
    """One option of a match, a target, or the rule itself.

    `name` is the canonical spelling (`-d` where the line said `--destination`); `slots` are the places of
    its arguments in `Rule.values`.
    """

    name: str
    negated: bool
    slots: tuple[int, ...]


class Match(Record):
    """One `-m MODULE` with its options, in the order written."""

    module: str
    options: tuple[Option, ...]


class Target(Record):
    """The `-j` or `-g` of a rule.

    A target that the grammar knows (`DNAT`, `ACCEPT`) is part of the shape: `name` holds it. Any other name
    may be a chain, and differs from rule to rule: `name` is None and `slot` is its place in `Rule.values`.
    """

    kind: TargetKind
    name: str | None
    slot: int | None
    options: tuple[Option, ...]


class Shape(Record, eq=False):
    """The form of a rule line. Equal forms are one object, so shapes compare by identity.

    Slot 0 is always the chain of the rule; `-I CHAIN 3` has its rule number in `rulenum_slot`.
    `literals` is the text before, between and after the values as `iptables-save` spells it, with the values in
    `printed` order: `literals[0] + values[printed[0]] + literals[1] + ...`. `hidden` is what rules of this form may
    have that the text does not show, mostly nothing.
    """

    command: Command
    rulenum_slot: int | None
    core: tuple[Option, ...]
    matches: tuple[Match, ...]
    target: Target | None
    literals: tuple[str, ...]
    printed: tuple[int, ...]
    hidden: frozenset[Hidden] = frozenset()

    @property
    def width(self) -> int:
        """How many values a rule of this shape has, including its chain's name."""
        slots = [0 if self.rulenum_slot is None else self.rulenum_slot]
        options = list(self.core)
        for match in self.matches:
            options += match.options
        if self.target is not None:
            options += self.target.options
            slots.append(self.target.slot or 0)
        for option in options:
            slots += option.slots
        return max(slots) + 1

    def core_option(self, name: str) -> Option | None:
        """The option `name` of the rule itself (`-s`, `-d`, `-i`, `-o`, `-p`, `-f`), if it has one."""
        for option in self.core:
            if option.name == name:
                return option
        return None

    def match_option(self, module: str, name: str) -> Option | None:
        """Option `name` of the first match of `module` that has it."""
        for match in self.matches:
            if match.module == module:
                for option in match.options:
                    if option.name == name:
                        return option
        return None

    def target_option(self, name: str) -> Option | None:
        """Option `name` of the target."""
        if self.target is not None:
            for option in self.target.options:
                if option.name == name:
                    return option
        return None

    def has_match(self, module: str) -> bool:
        """Whether the rule loads `module`."""
        return any(match.module == module for match in self.matches)


class Layout:
    """The shapes of a chain's rules. Equal layouts are one object, so layouts compare by identity.

    A chain keeps the words of all its rules in one tuple, `Chain.values`: first its name, then each rule's values from
    slot 1 on. Slot `s` of rule `k` (from 0) is value `offsets[k] + s`; the last offset is where the rules end.
    """

    __slots__ = ("__weakref__", "offsets", "shapes")

    shapes: tuple[Shape, ...]
    offsets: tuple[int, ...]

    def __init__(self, shapes: tuple[Shape, ...]) -> None:
        self.shapes = shapes
        own = {shape: shape.width - 1 for shape in set(shapes)}  # the chain's name is stored once
        self.offsets = tuple(accumulate([own[shape] for shape in shapes], initial=0))

    @classmethod
    def of(cls, shapes: tuple[Shape, ...]) -> Layout:
        """The layout of rules with these shapes."""
        layout = _layouts.get(shapes)
        if layout is None:
            layout = _layouts[shapes] = cls(shapes)
        return layout

    def __len__(self) -> int:
        return len(self.shapes)

    def __repr__(self) -> str:
        return f"<Layout of {len(self.shapes)} rules>"

    def numbers(self) -> Mapping[Shape, Sequence[int]]:
        """The rules of each shape, by number."""
        found: dict[Shape, list[int]] = defaultdict(list)
        for number, shape in enumerate(self.shapes):
            found[shape].append(number)
        return found

    def place(self, rule: int, option: Option | None) -> int | None:
        """The place in `Chain.values` of the first argument of rule `rule`'s option; None without such an argument."""
        return None if option is None or not option.slots else self.offsets[rule] + option.slots[0]

    def target_place(self, rule: int) -> int | None:
        """The place in `Chain.values` of the chain that rule `rule` jumps or goes to; None for a target that is part of
        the shape (`shape.target.name`) and for a rule without target."""
        target = self.shapes[rule].target
        return None if target is None or target.slot is None else self.offsets[rule] + target.slot

    def is_goto(self, rule: int) -> bool:
        """Whether a packet does not return after rule `rule` (`-g`)."""
        target = self.shapes[rule].target
        return target is not None and target.kind is TargetKind.GOTO


_layouts: WeakValueDictionary[tuple[Shape, ...], Layout] = WeakValueDictionary()
EMPTY = Layout.of(())
"""The layout of a chain without rules."""
