"""Splitting the bare rules of a text into outputs: order is known inside an output, not between them.

Rules of one output are on consecutive lines. A blank line, a heading or a prompt begins another. So does a rule that
its chain had before the text went on to other chains: iptables prints each chain in one piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.model import Rule
from ipt_explain.model.dump import SourceText
from ipt_explain.patterns import lazy_pattern

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
_PAGER = (":", "~", "(END)")
_PAGER_PLACE = lazy_pattern(r"lines \d+-\d+(?:/\d+)?(?: .*)?")
_LONGEST_MARK = 80


def outputs_of(rules: Sequence[Rule], source: SourceText) -> Iterator[list[Rule]]:
    """The rules of each output, in the order of the text."""
    output: list[Rule] = []
    of_chain: dict[str, list[Rule]] = {}
    for rule in rules:
        if output:
            last, known = output[-1], of_chain.get(rule.chain)
            repeated = known is not None and rule.chain != last.chain and rule.text in {each.text for each in known}
            if repeated or (rule.line > last.line + 1 and _parted(source, last, rule.line)):
                yield output
                output, of_chain = [], {}
        output.append(rule)
        of_chain.setdefault(rule.chain, []).append(rule)
    if output:
        yield output


def _parted(source: SourceText, above: Rule, below: int) -> bool:
    line = above.line + above.text.count("\n")
    while source.line(line).endswith("\\"):
        line += 1
    return any(not _belongs(source.line(number)) for number in range(line + 1, below))


def is_grep_gap(content: str) -> bool:
    """Whether grep, or a person, left out lines of any kind here: it separates matches with context lines by `--`."""
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
    *before, last = bare.lower().split(" ")
    said = last in _LEFT_OUT and all(word in _BEFORE or word.isdecimal() for word in before)
    return said and bare != content.strip()


def _belongs(content: str) -> bool:
    """Whether a line without a rule may be inside one output: a gap made by grep or by hand."""
    return content == JOINED or is_grep_gap(content) or is_elision(content)
