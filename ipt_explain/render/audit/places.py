"""Where a finding is, as other programs look it up."""

from __future__ import annotations

import os

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.render.text.safe import escape

STANDARD_INPUT = "stdin"


def relative(source: str) -> str:
    """A source's path below the working directory, where a repository's files are looked for; another one as it is."""
    if source == "-":
        return STANDARD_INPUT
    try:
        path = os.path.relpath(source)
    except ValueError:  # another drive, or a path that no file can have
        return source
    return source if path.startswith(os.pardir) else path


def place(finding: Finding) -> str:
    """`node.txt:97:122`, as editors and CI systems read it; less where less is known. Escaped."""
    parts = [finding.source, *(str(number) for number in (finding.line, finding.column) if number is not None)]
    return escape(":".join(parts))
