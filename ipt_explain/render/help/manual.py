"""Manual pages in roff, from the texts of `help`, `--help` and `rules`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ipt_explain.audit.page import HEADINGS
from ipt_explain.audit.rule import AuditRule
from ipt_explain.records import Record
from ipt_explain.render.help.document import BlockKind, SpanKind, help_blocks, spans

_FONTS = {SpanKind.PLAIN: "", SpanKind.CODE: "B", SpanKind.EMPHASIS: "I"}
_ESCAPES = str.maketrans({"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"})


class CommandPage(Record):
    """A command in the manual: its usage, its description, and its options with their help."""

    usage: str
    text: str
    options: Sequence[tuple[str, str]]


def manual(version: str, commands: Iterable[CommandPage], topics: Iterable[str]) -> Iterator[str]:
    """`ipt-explain(1)`: every command with its options, then the help topics."""
    yield from _head("IPT-EXPLAIN", 1, version, "ipt-explain", "explain, audit and trace kube-proxy's iptables rules")
    pages = list(commands)
    yield ".SH SYNOPSIS\n"
    for page in pages:
        yield f".B {_roff(page.usage)}\n.br\n"
    yield ".SH COMMANDS\n"
    for page in pages:
        yield f".SS {_roff(page.usage)}\n"
        yield from _body(page.text)
        for name, words in page.options:
            yield f".TP\n.B {_roff(name)}\n{_line(words)}\n"
    for topic in topics:
        yield from _body(topic)


def rules_manual(version: str, rules: Iterable[AuditRule]) -> Iterator[str]:
    """`ipt-explain-rules(7)`: the page of every audit rule."""
    yield from _head("IPT-EXPLAIN-RULES", 7, version, "ipt-explain-rules", "what ipt-explain audit looks for")
    for rule in rules:
        yield f".SH {_roff(f'{rule.id} {rule.slug} ({rule.severity.value})'.upper())}\n{_line(rule.title)}\n"
        for heading in HEADINGS:
            yield f".SS {_roff(heading)}\n.nf\n{_lines(rule.page.sections[heading])}\n.fi\n"


def _head(title: str, section: int, version: str, name: str, purpose: str) -> Iterator[str]:
    yield f'.TH {title} {section} "" "ipt-explain {_roff(version)}"\n.nh\n.ad l\n'
    yield f".SH NAME\n{_roff(name)} \\- {_roff(purpose)}\n"


def _body(text: str) -> Iterator[str]:
    for block in help_blocks(text):
        if block.kind is BlockKind.TITLE:
            yield f".SH {_roff(block.text.upper())}\n"
        elif block.kind is BlockKind.HEADING:
            yield f".SS {_roff(block.text)}\n"
        elif block.kind is BlockKind.LITERAL:
            yield f".PP\n.RS 4\n.nf\n{_lines(block.text)}\n.fi\n.RE\n"
        elif block.kind is BlockKind.ITEM:
            yield f".IP \\(bu 2\n{_line(block.text)}\n"
        else:
            yield f".PP\n{_line(block.text)}\n"


def _line(text: str) -> str:
    """One line of running text, with its spans in their fonts."""
    return _unlike_request(
        "".join(
            f"\\f{_FONTS[span.kind]}{_roff(span.text)}\\fR" if _FONTS[span.kind] else _roff(span.text)
            for span in spans(" ".join(text.split()))
        )
    )


def _lines(text: str) -> str:
    """Literal lines."""
    return "\n".join(_unlike_request(_roff(line)) for line in text.split("\n"))


def _roff(text: str) -> str:
    """Escape what roff would interpret, and write non-ASCII characters by number, for any encoding."""
    return "".join(
        character if character.isascii() else f"\\[u{ord(character):04X}]" for character in text.translate(_ESCAPES)
    )


def _unlike_request(line: str) -> str:
    return f"\\&{line}" if line.startswith((".", "\\(aq")) else line
