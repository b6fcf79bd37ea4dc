"""A rule's page: the docstring of its module, under fixed headings."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from importlib import import_module
from importlib.util import find_spec

from ipt_explain.records import Record

_REPEATED = re.compile(r"^# the next rule ([\d,]+) times\n(.*)\n", re.MULTILINE)
HEADINGS = ("What it checks", "Why it matters", "Example", "How to fix", "When to ignore")


def docstring_of(module: str) -> str:
    """A module's docstring, read from its source if there is one: a rule's imports are half of the program."""
    spec = None if module in sys.modules else find_spec(module)
    read = getattr(spec and spec.loader, "get_source", None)
    source = read(module) if read is not None else None
    return (import_module(module).__doc__ if source is None else ast.get_docstring(ast.parse(source))) or ""


class Page(Record):
    """A rule's page: its title and a text for each heading, in the order of HEADINGS.

    A text keeps its line breaks and has no indentation of its own.
    """

    title: str
    sections: dict[str, str]

    @classmethod
    def from_docstring(cls, docstring: str) -> Page:
        """Read a page: the title line, then each heading with a colon on a line of its own, its text indented under it.

        Without "When to ignore", the answer is "Never." Raises ValueError if another heading is missing, or one is
        unknown, repeated or out of order.
        """
        lines = inspect.cleandoc(docstring).split("\n")
        sections: dict[str, list[str]] = {}
        current: list[str] | None = None
        for line in lines[1:]:
            if line and not line[0].isspace():
                current = sections.setdefault(_heading(line, sections), [])
            elif current is not None:
                current.append(line)
        sections.setdefault(HEADINGS[-1], ["Never."])
        if tuple(sections) != HEADINGS:
            missing = [heading for heading in HEADINGS if heading not in sections]
            raise ValueError(f"page {lines[0]!r} lacks or misplaces: {', '.join(missing) or 'the order of headings'}")
        return cls(
            lines[0], {heading: textwrap.dedent("\n".join(text)).strip("\n") for heading, text in sections.items()}
        )

    @property
    def example(self) -> str:
        """The example as the text of a dump.

        A line indented further than the first continues the line before it. The comment `# the next rule 2,000 times`
        repeats the rule.
        """
        joined: list[str] = []
        for line in self.sections["Example"].split("\n"):
            if line[:1].isspace() and joined:
                joined[-1] += " " + line.strip()
            else:
                joined.append(line)
        text = "\n".join(joined) + "\n"
        return _REPEATED.sub(lambda found: f"{found[2]}\n" * int(found[1].replace(",", "")), text)


def _heading(line: str, seen: dict[str, list[str]]) -> str:
    heading = line.rstrip(":")
    if not line.endswith(":") or heading not in HEADINGS or heading in seen:
        raise ValueError(f"unknown or repeated heading in a rule's page: {line!r}")
    return heading
