"""Cleaning a whole text before its lines are read: byte order mark, HTML escapes, line ends of Windows, which come from
editors, terminals and mails."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ipt_explain.inputs.limits import DUMP_LINES, LONGEST_NUMBER
from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import Record

_NO_BREAK = "\u00a0"
_PADDED = "destination" + " " * 20
_LONG_NUMBER = lazy_pattern(rf"\d{{{LONGEST_NUMBER + 1}}}")
_PROBES = 4  # of these hit each longer run; fewer would hit many short runs, too
_STEP = LONGEST_NUMBER // _PROBES
_CERTAIN = (_PROBES - 1) * _STEP  # digits, from the first probe that hits on
_DIGITS = lazy_pattern(r"\d*")
_PROBED_DIGITS = lazy_pattern(rf"\d{{{_PROBES},}}")
# An arrow before an address, a mask of nft, flags of `ip addr`.
_ENTITIES = lazy_pattern(
    r"-&gt; +(?:RemoteAddress:|[\d.]+:\d|\[[\da-f:.]+\]:\d)| &amp; 0x[\da-f]|: &lt;[A-Z_,-]*&gt; mtu "
)
_ARROW = lazy_pattern(r"^([ \t]*)(?:[→⟶➔➜]|[–—-][>›])(?=[ \t]+(?:RemoteAddress:|\S+:\S+[ \t]+Masq\b))", re.MULTILINE)
# Characters that terminals and web pages add inside words. An unterminated colour code may be part of a chain's name.
_STAINS = (
    (lazy_pattern(r"\x1b\[[\d;]{0,20}[mK]"), "\x1b[0m", _COLOURS := "a terminal's colours were removed"),
    (lazy_pattern(r"\x1b\[[\d;]{0,20}[mK]"), "\x1b[m", _COLOURS),
    *(
        (lazy_pattern(rf"(?<=[\w-]){mark}+(?=[\w-])"), mark, "invisible characters inside words were removed")
        for mark in "\u200b\u200c\u200d\u2060\u00ad"
    ),
)


class Cleaned(Record):
    """A text as iptables printed it, with warnings about what was changed.

    `readable` is the same text with a comment instead of each line that no tool prints; `refused` are their numbers.
    """

    text: str
    readable: str
    refused: tuple[int, ...]
    warnings: tuple[str, ...]


def clean(text: str, source: str) -> Cleaned:
    """The text without a byte order mark, with quotes instead of a page's `&quot;`, and with LF at line ends.

    Raises UsageError if it has more lines than a dump may have.
    """
    _refuse_too_many_lines(text, source)
    warnings: list[str] = []
    text = text.removeprefix("\ufeff")
    # A dump with &quot; instead of every quote was copied from a page's source.
    if ('"' not in text and "&quot;" in text) or ("&" in text and _ENTITIES.search(text)):
        import html

        text = html.unescape(text)
        warnings.append(f"{source}: it is escaped as in an HTML page; &quot;, &gt; and the like were decoded")
    if not text.isascii() and "Masq" in text:
        text, count = _ARROW.subn(r"\1->", text)
        if count:
            warnings.append(f"{source}: {'1 arrow was' if count == 1 else f'{count:,} arrows were'} read as `->`")
    text, blank = _with_plain_blanks(text)
    if blank:
        warnings.append(f"{source}: {blank} were read as plain spaces")
    if "Chain  " in text:  # `column -t` aligns words, chains' names too
        from ipt_explain.parsing.listings.one_line import unaligned

        text = unaligned(text)
    if "source destination " in text or _PADDED in text:  # iptables prints more blanks, and nothing after them
        from ipt_explain.parsing.listings.one_line import apart

        rows, text = text, apart(text)
        if text is not rows:
            warnings.append(f"{source}: lines of a listing that were on one line were read as lines of their own")
    stains = () if text.isascii() and "\x1b" not in text else _STAINS
    for pattern, mark, note in stains:
        if mark in text:
            text, count = pattern.subn("", text)
            if count:
                warnings.append(f"{source}: {note}")
    if "\r" in text:
        returns, text = text, _without_lone_returns(text)
        if text is not returns:
            warnings.append(f"{source}: its lines end in CR alone, and were read as if in LF")
    text, count = with_line_feeds(text)
    if count:
        lines = "1 line ends" if count == 1 else f"{count:,} lines end"
        warnings.append(f"{source}: {lines} in CR LF; iptables-restore would refuse them")
    readable, refused = text, tuple(dict.fromkeys(_impossible_lines(text)))
    if refused:
        kept = text.split("\n")
        for number in refused:
            kept[number - 1] = "#"
        readable = "\n".join(kept)
    return Cleaned(text, readable, refused, tuple(warnings))


def _with_plain_blanks(text: str) -> tuple[str, str]:
    """The text with plain spaces, and what was there instead of them, if a page or a program changed them all."""
    if not text.isascii() and text.count(_NO_BREAK) > text.count(" "):
        return text.replace(_NO_BREAK, " "), "no-break spaces"
    if "\t" in text and " " not in text:
        return text.replace("\t", " "), "tabs"
    return text, ""


def _refuse_too_many_lines(text: str, source: str) -> None:
    """Raises UsageError for more lines than a dump may have. Where enough characters end no line, these are not too
    many, and the beginning of a text mostly shows that."""
    most = DUMP_LINES.value()
    enough = len(text) - most
    looked_at = min(2 * enough, len(text))
    if enough > 0 and looked_at - text.count("\n", 0, looked_at) < enough and text.count("\n") > most:
        raise DUMP_LINES.exceeded(source)


def _impossible_lines(text: str) -> Iterator[int]:
    """Lines with a NUL, which iptables-restore reads only up to that, or with a number too long for any field (Python
    refuses to convert it)."""
    if "\0" in text:
        yield from (number for number, line in enumerate(text.split("\n"), start=1) if "\0" in line)
    number, counted = 1, 0
    for position in _long_numbers(text):
        number += text.count("\n", counted, position)
        counted = position
        yield number


def _long_numbers(text: str) -> Iterator[int]:
    """A place in each line that has more digits in a row than any field. It looks at few characters: so long a run
    covers at least `_PROBES` of them."""
    past = 0
    for run in _PROBED_DIGITS.finditer(text[::_STEP]):
        for probe in range(run.start(), run.end()):
            position = probe * _STEP
            if position < past or not text[position : position + _CERTAIN].isdecimal():
                continue
            before = text[max(position - _STEP, past) : position]
            digits = _DIGITS.match(before[::-1])
            if digits is not None and _LONG_NUMBER.match(text, position - digits.end()):
                yield position
                past = text.find("\n", position)
                if past < 0:
                    return


_LONE = lazy_pattern(r"\r(?!\n) ?")
_LONE_ENDS = lazy_pattern(r"\r ?(?:\*[a-z]|:\S|-[ANP] \S|COMMIT\b|#)")
_ESCAPED = lazy_pattern(r"\\.")


def with_line_feeds(text: str) -> tuple[str, int]:
    """The text with CR LF replaced by LF, and their number. A CR LF inside quotes is part of the value and stays."""
    if "\r" not in text:
        return text, 0
    lines = text.split("\n")
    count, quoted = 0, False
    for index, line in enumerate(lines[:-1]):
        if '"' in line:
            closed = _ESCAPED.sub("", line).count('"') % 2 == 0
            # An unclosed quote continues on the next line only if that does not begin like a line of a dump.
            quoted = not closed and not quoted and line.endswith("\r") and not _starts_line(lines[index + 1])
        elif quoted and _starts_line(line):
            quoted = False
        if not quoted and line.endswith("\r"):
            lines[index] = line[:-1]
            count += 1
    return "\n".join(lines), count


def _without_lone_returns(text: str) -> str:
    """The text with LF at line ends if most lines end in a lone carriage return, as with old terminals and some
    collectors."""
    lone = text.count("\r") - text.count("\r\n")
    return _LONE.sub("\n", text) if lone > max(1, text.count("\n")) and _LONE_ENDS.search(text) else text


def _starts_line(line: str) -> bool:
    return line.startswith(("-A ", ":", "*", "COMMIT", "#", "["))
