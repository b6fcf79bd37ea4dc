"""Places of findings, as other programs read them."""

from __future__ import annotations

import os

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.render.text.safe import escape

STANDARD_INPUT = "stdin"


def relative(source: str) -> str:
    """A source's path relative to the working directory if it is below it, as services expect for repositories."""
    if source == "-":
        return STANDARD_INPUT
    try:
        path = os.path.relpath(source)
    except ValueError:  # another drive, or an impossible path
        return source
    return source if path.startswith(os.pardir) else path


def place(finding: Finding) -> str:
    """`node.txt:97:122`, as editors and CI systems read it, without unknown parts. Escaped."""
    parts = [finding.source, *(str(number) for number in (finding.line, finding.column) if number is not None)]
    return escape(":".join(parts))
