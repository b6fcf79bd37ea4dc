"""The line of a finding, shortened around the part that matters."""

from __future__ import annotations

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.patterns import lazy_pattern
from ipt_explain.render.text.errors import quoted

_COMMENT = lazy_pattern(r'-m comment --comment (?:"(?:[^"\\]|\\.)*"|\S+) ?')
_CHAIN = lazy_pattern(r"(?:\[\d+:\d+\] )?-A \S+ (?:… )?")
_ELIDED = "… "


def excerpt(finding: Finding, width: int) -> tuple[str, str]:
    """The finding's line and the carets below it, both at most `width` columns wide. If the line is wider, `…` replaces
    first comments, then the chain."""
    start, end = finding.columns or (1, 1)
    line, start, length = finding.excerpt, start - 1, end - start
    if len(line) > width:
        line, start = _without_comments(line, start, length)
    chain = _CHAIN.match(line)
    if len(line) > width and chain is not None and chain.end() <= start:  # the place above names the chain
        line, start = _ELIDED + line[chain.end() :], start - chain.end() + len(_ELIDED)
    return quoted(line, start, length, width)


def _without_comments(line: str, start: int, length: int) -> tuple[str, int]:
    """The line without comments, except those under the carets, and the carets' new start."""
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
