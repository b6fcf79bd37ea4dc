"""A diff that only adds lines, as of a new file: without its `+`, it is the text itself."""

from __future__ import annotations

import re

from ipt_explain.parsing.iptables.diagnosis.prefixes import RULE_START
from ipt_explain.words import counted

_ADDED = re.compile(
    rf"^\+[ \t]*(?:{RULE_START}|table (?:ip6?|inet) \S+ \{{|Chain \S+ \(|IP Virtual Server |Name: \S|"
    r"(?:TCP|UDP|SCTP) +\S+:\d|-> +\S+:\d|-[Aa] -[tuf] \S|create \S+ (?:hash|bitmap|list):|\d+: \S+: <)",
    re.MULTILINE,
)
_REMOVED = re.compile(r"^(?:-(?!-- ?\S)|<)", re.MULTILINE)
_HEADER = re.compile(r"(?:diff --git |index [0-9a-f]{7}|new file mode |--- \S|\+\+\+ \S|\\ No newline)")
_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+\d")
_NEW_FILE = "@@ -0,0 "


def without_additions(text: str) -> tuple[str, list[str]]:
    """The text without the marks of a diff that removes nothing, and a note about it. Line numbers stay the same. Dots
    replace the headers of hunks, where lines are left out."""
    if not _ADDED.search(text) or _REMOVED.search(text):
        return text, []
    lines = text.split("\n")
    count = 0
    for place, line in enumerate(lines):
        if _HEADER.match(line):
            lines[place] = ""
        elif _HUNK.match(line):
            lines[place] = "" if line.startswith(_NEW_FILE) else "..."
        elif line.startswith("+"):
            lines[place] = line[1:]
            count += 1
    return "\n".join(lines), [f"{counted(count, 'line')}: the `+` of a diff that only adds lines was ignored"]
