"""Line ends of Windows, from editors, terminals and mails. iptables writes and reads only LF."""

from __future__ import annotations

from ipt_explain.patterns import lazy_pattern

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


def without_lone_returns(text: str) -> str:
    """The text with LF at line ends if most lines end in a lone carriage return, as with old terminals and some
    collectors.
    """
    lone = text.count("\r") - text.count("\r\n")
    return _LONE.sub("\n", text) if lone > max(1, text.count("\n")) and _LONE_ENDS.search(text) else text


def _starts_line(line: str) -> bool:
    return line.startswith(("-A ", ":", "*", "COMMIT", "#", "["))
