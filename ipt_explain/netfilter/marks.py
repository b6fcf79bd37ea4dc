"""Packet and connection marks: rules that set and test them, and how targets change their 32 bits.

Facts: libxt_MARK.c and libxt_CONNMARK.c (options to value and mask), xt_mark.c and xt_connmark.c (the change).
"""

from __future__ import annotations

from collections.abc import Iterable

from ipt_explain.model import Rule
from ipt_explain.records import Record

ALL_BITS = 0xFFFFFFFF
MARKING_TARGETS = frozenset({"MARK", "CONNMARK"})


class Mark(Record):
    """`value/mask` as in `-m mark --mark`: the mark's masked bits must equal `value`."""

    value: int
    mask: int = ALL_BITS

    def fits(self, mark: int) -> bool:
        """Whether a packet's mark matches. The value is not masked: `0x3/0x1` never matches, as in the kernel."""
        return mark & self.mask == self.value

    def __str__(self) -> str:
        return f"0x{self.value:x}" if self.mask == ALL_BITS else f"0x{self.value:x}/0x{self.mask:x}"


class MarkChange(Record):
    """What a MARK or CONNMARK target does: clear the bits of `clear`, then flip those of `flip`."""

    flip: int
    clear: int

    def apply(self, mark: int) -> int:
        """The mark after the change."""
        return (mark & ~self.clear & ALL_BITS) ^ self.flip

    @property
    def toggles(self) -> bool:
        """Whether it flips bits without clearing them first, so that a second pass undoes it."""
        return bool(self.flip & ~self.clear)


def parse_integer(text: str) -> int:
    """A number as iptables reads it: decimal, `0x` hex, leading-zero octal. Raises ValueError."""
    word = text.strip()
    if len(word) > 1 and word[0] == "0" and word.isdigit():
        return int(word, 8)
    return int(word, 0)


def parse_mark(text: str) -> Mark:
    """`VALUE` or `VALUE/MASK`, each 32 bits. Raises ValueError."""
    value_text, slash, mask_text = text.partition("/")
    value = _bits(value_text)
    return Mark(value, _bits(mask_text) if slash else ALL_BITS)


def mark_change(option: str, text: str) -> MarkChange:
    """The change that `--set-xmark`, `--set-mark`, `--or-mark`, `--and-mark` or `--xor-mark` makes.

    Raises ValueError for another option or an invalid mark.
    """
    if option == "--set-xmark":
        mark = parse_mark(text)
        return MarkChange(flip=mark.value, clear=mark.mask)
    if option == "--set-mark":
        mark = parse_mark(text)
        return MarkChange(flip=mark.value, clear=mark.mask | mark.value)
    bits = _bits(text)
    if option == "--or-mark":
        return MarkChange(flip=bits, clear=bits)
    if option == "--and-mark":
        return MarkChange(flip=0, clear=~bits & ALL_BITS)
    if option == "--xor-mark":
        return MarkChange(flip=bits, clear=0)
    raise ValueError(f"{option} does not change a mark")


def _bits(text: str) -> int:
    value = parse_integer(text)
    if not 0 <= value <= ALL_BITS:
        raise ValueError(f"{text} does not fit into 32 bits")
    return value


def change_by(rule: Rule) -> MarkChange | None:
    """How a MARK rule changes the mark; None for another rule, or an unreadable value."""
    target = rule.shape.target
    if target is None or target.name != "MARK":
        return None
    for option in target.options:
        try:
            return mark_change(option.name, rule.first(option) or "")
        except ValueError:
            continue
    return None


class MarkTest(Record):
    """A rule that tests a mark (`-m mark`)."""

    rule: Rule
    mark: Mark
    negated: bool

    def passes(self, mark: int) -> bool:
        """Whether a packet with this mark satisfies the test."""
        return self.mark.fits(mark) is not self.negated


def mark_tests(rules: Iterable[Rule]) -> tuple[MarkTest, ...]:
    """The mark tests of rules, except unreadable ones."""
    return tuple(test for test in map(mark_test, rules) if test is not None)


def mark_test(rule: Rule) -> MarkTest | None:
    """The mark that a rule tests."""
    option = rule.shape.match_option("mark", "--mark")
    if option is None:
        return None
    try:
        return MarkTest(rule, parse_mark(rule.first(option) or ""), option.negated)
    except ValueError:
        return None


def single_bit(mark: int) -> bool:
    """Whether exactly one bit is set."""
    return mark != 0 and not mark & (mark - 1)
