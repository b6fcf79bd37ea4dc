"""The line that a finding is about, cut to a width without losing what matters."""

from __future__ import annotations

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.patterns import lazy_pattern
from ipt_explain.render.text.errors import quoted

_COMMENT = lazy_pattern(r'-m comment --comment (?:"(?:[^"\\]|\\.)*"|\S+) ?')
_CHAIN = lazy_pattern(r"(?:\[\d+:\d+\] )?-A \S+ (?:… )?")
_ELIDED = "… "


def excerpt(finding: Finding, width: int) -> tuple[str, str]:
    """The finding's line and the carets below it, both at most `width` columns wide. Where the line is wider, comments
    go first, then the chain: `…` stands for them.
    """
    start, end = finding.columns or (1, 1)
    line, start, length = finding.excerpt, start - 1, end - start
    if len(line) > width:
        line, start = _without_comments(line, start, length)
    chain = _CHAIN.match(line)
    if len(line) > width and chain is not None and chain.end() <= start:  # the place above names the chain
        line, start = _ELIDED + line[chain.end() :], start - chain.end() + len(_ELIDED)
    return quoted(line, start, length, width)


def _without_comments(line: str, start: int, length: int) -> tuple[str, int]:
    """The line without the comments that the carets do not point at, and where the carets start in it."""
    kept: list[str] = []
    end = moved = 0
    for found in _COMMENT.finditer(line):
        if found.start() < start + length and found.end() > start:
            continue
        kept += [line[end : found.start()], _ELIDED]
        end = found.end()
        if end <= start:
            moved += found.end() - found.start() - len(_ELIDED)
    return "".join([*kept, line[end:]]), start - moved
