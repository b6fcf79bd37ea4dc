"""Splits the bare rules of a text into outputs: order is known inside an output, not between them.

The rules of one output are on consecutive lines. A blank line, a heading or a prompt begins another. So does a rule
that the output has shown before, with other rules in between: iptables prints each chain in one piece, and people join
greps. Only a rule that directly follows its like may be in the kernel twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.model import Rule, Shape
from ipt_explain.model.dump import SourceText
from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import Record

BLOCK_ENDS = ("# ```", "# ~~~", "# </pre>", "# {noformat", "# {code", "# {panel", "# {quote")
"""A fence or the end of a page's block, as comments for the line reader: no table continues after them."""

JOINED = "#"
"""Replaces a line that was joined to the one above it; does not separate outputs."""

_DOTS = ("..", "…", "⋮")
_MARKS = " \t#<>()[]{}~*-.…⋮"
_LEFT_OUT = frozenset({
    "snip", "snipped", "omitted", "truncated", "elided", "skipped", "removed", "cut",
    "more", "lines", "rules", "chains",
})  # fmt: skip
_BEFORE = frozenset({"and", "some", "many", "more", "other", "the", "rest", "of", "output", "lines", "rules", "chains"})
_WORDS = _LEFT_OUT | _BEFORE
_PUNCTUATION = str.maketrans(",;:()", "     ")
_PAGER = (":", "~", "(END)")
_PAGER_PLACE = lazy_pattern(r"lines \d+-\d+(?:/\d+)?(?: .*)?")
_LONGEST_MARK = 80


class Repeat(Record):
    """A rule that its chain has shown before, with no other chain in between. `again`: it begins another output."""

    rule: Rule
    earlier: Rule
    again: bool


class Outputs(Record):
    """The rules of each output, in the order of the text, and what is uncertain about them."""

    rules: list[list[Rule]]
    repeats: list[Repeat]


def outputs_of(rules: Sequence[Rule], source: SourceText) -> Outputs:
    """Bare rules by output."""
    outputs: list[list[Rule]] = [[]]
    repeats: list[Repeat] = []
    shown: dict[tuple[Shape, tuple[str, ...]], Rule] = {}
    last: Rule | None = None
    for rule in rules:
        earlier = shown.get((rule.shape, rule.values))
        parted = last is not None and rule.line > last.line + 1 and _parted(source, last, rule.line)
        again = earlier is not None and earlier is not last
        if earlier is not None and last is not None and not parted and rule.chain == last.chain:
            repeats.append(Repeat(rule, earlier, again))
        if parted or again:
            outputs.append([])
            shown = {}
        outputs[-1].append(rule)
        shown[rule.shape, rule.values] = last = rule
    return Outputs(outputs if rules else [], repeats)


def _parted(source: SourceText, above: Rule, below: int) -> bool:
    line = above.line + above.text.count("\n")
    while source.line(line).endswith("\\"):
        line += 1
    return any(not _belongs(source.line(number)) for number in range(line + 1, below))


def is_grep_gap(content: str) -> bool:
    """Whether grep, or a person, left out lines of any kind here: grep separates matches with context lines by `--`."""
    bare = content.strip(" \t")
    return len(bare) > 1 and not bare.strip("-")


def is_elision(content: str) -> bool:
    """Whether rules may be missing here: a person left them out (`...`, `[12 more rules]`), or a pager waited."""
    if len(content) > _LONGEST_MARK:
        return False
    line = content.rstrip()
    if line in _PAGER or line.startswith("--More--") or (line.startswith("lines ") and _PAGER_PLACE.fullmatch(line)):
        return True
    bare = content.strip(_MARKS)
    if not bare:
        return any(dots in content for dots in _DOTS)
    words = bare.lower().translate(_PUNCTUATION).split()
    said = bool(words) and words[-1] in _LEFT_OUT and all(word in _WORDS or word.isdecimal() for word in words)
    return said and bare != content.strip()


def _belongs(content: str) -> bool:
    """Whether a line without a rule may be inside one output: a gap made by grep or by hand."""
    return content == JOINED or is_grep_gap(content) or is_elision(content)
