"""A rule: a shared shape and its own values, which are words as iptables writes and reads them.

Facts: libxtables `xtables_save_string` (quotes unless all of `[A-Za-z0-9_-]`, escapes `" \\ '`), and
iptables-restore's `add_param_to_argv` (a double quote opens and closes, a backslash escapes only inside).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ipt_explain.model.shape import Option, Shape, TargetKind
from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import Record


class Counters(Record):
    """Counters, which `iptables-save -c` prints as `[packets:bytes]`."""

    packets: int
    bytes: int


class Rule(Record, eq=False):
    """One rule line.

    `values` are the words as written, with quotes and escapes, indexed by the shape's slots; properties return them
    decoded. `line` is 1-based. Rules compare by identity: two equal lines are two rules.
    """

    shape: Shape
    values: tuple[str, ...]
    line: int
    counters: Counters | None = None

    @property
    def chain(self) -> str:
        """The chain that holds the rule."""
        return self.values[0]

    def word(self, slot: int) -> str:
        """A word as written, by slot of its shape."""
        return self.values[slot]

    @property
    def target(self) -> str | None:
        """Where the rule sends the packet: a verdict, an extension or a chain; None for a rule that only counts."""
        target = self.shape.target
        if target is None:
            return None
        if target.slot is None:
            return target.name
        return self.values[target.slot]

    @property
    def is_goto(self) -> bool:
        """Whether the packet does not return to this chain (`-g`)."""
        target = self.shape.target
        return target is not None and target.kind is TargetKind.GOTO

    @property
    def comment(self) -> str | None:
        """The first `-m comment`, decoded."""
        return self.first(self.shape.match_option("comment", "--comment"))

    def first(self, option: Option | None) -> str | None:
        """The decoded first argument of an option of this rule's shape; None without an option or argument."""
        if option is None or not option.slots:
            return None
        return unquote(self.values[option.slots[0]])

    def arguments(self, option: Option) -> tuple[str, ...]:
        """All arguments of an option of this rule's shape, decoded."""
        return tuple([unquote(self.values[slot]) for slot in option.slots])

    def spelled(self, option: Option) -> str:
        """An option as in the rule: `! -s 10.0.0.0/8`."""
        words = " ".join([self.values[slot] for slot in option.slots])
        return f"{'! ' if option.negated else ''}{option.name} {words}".rstrip()

    def words(self, slots: Sequence[int]) -> tuple[str, ...]:
        """The decoded values of some slots of its shape."""
        return tuple(unquote(self.values[slot]) for slot in slots)

    def core(self, name: str) -> str | None:
        """The value of `-s`, `-d`, `-i`, `-o` or `-p`; the shape's option says whether it is negated."""
        return self.first(self.shape.core_option(name))

    def match(self, module: str, name: str) -> str | None:
        """The first argument of a match's option."""
        return self.first(self.shape.match_option(module, name))

    def target_value(self, name: str) -> str | None:
        """The first argument of a target's option."""
        return self.first(self.shape.target_option(name))

    @property
    def text(self) -> str:
        """The rule as `iptables-save` prints it, without counters."""
        shape = self.shape
        parts = [shape.literals[0]]
        for slot, literal in zip(shape.printed, shape.literals[1:]):
            parts.append(self.values[slot])
            parts.append(literal)
        return "".join(parts)


_ESCAPED = lazy_pattern(r"\\(.)", re.DOTALL)
_BARE = lazy_pattern(r"[A-Za-z0-9_-]+\Z")
_NEEDS_ESCAPE = lazy_pattern(r"([\"\\'])")


def unquote(word: str) -> str:
    """The value of a word as iptables-restore reads it: without quotes and escapes if quoted."""
    if len(word) >= 2 and word[0] == '"' and word[-1] == '"':
        inner = word[1:-1]
        return _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner
    return word


def quote(value: str) -> str:
    """A value as iptables-save writes a comment, log prefix or the like: quoted only if it must be."""
    if _BARE.match(value):
        return value
    return '"' + _NEEDS_ESCAPE.sub(r"\\\1", value) + '"'
