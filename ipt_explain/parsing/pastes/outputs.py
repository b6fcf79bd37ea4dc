"""Bare rules of a text as the outputs that they came in: order holds inside one, never across two.

Rules of one output are on consecutive lines. A blank line, a heading, a prompt between them begins another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.model import Rule
from ipt_explain.source import SourceText

JOINED = "#"
"""What replaces a line that was joined to the one above it; it parts nothing."""

_GREP_GAP = "--"
"""What grep prints between matches that have lines around them (-A, -B, -C)."""


def outputs_of(rules: Sequence[Rule], source: SourceText) -> Iterator[list[Rule]]:
    """The rules of each output, in the order of the text."""
    output: list[Rule] = []
    for rule in rules:
        if output and rule.line > output[-1].line + 1 and _parted(source, output[-1], rule.line):
            yield output
            output = []
        output.append(rule)
    if output:
        yield output


def _parted(source: SourceText, above: Rule, below: int) -> bool:
    line = above.line + above.text.count("\n")
    while source.line(line).endswith("\\"):
        line += 1
    return any(not _belongs(source.line(number)) for number in range(line + 1, below))


def _belongs(content: str) -> bool:
    """Whether a line that is no rule may be inside one output: lines left out by grep, or by hand."""
    bare = content.strip(" \t")
    return content in (JOINED, _GREP_GAP) or (bool(bare) and not bare.strip(".…[]()"))
