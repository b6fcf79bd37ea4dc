"""Lines of logs and documents: removing what was added before and after a rule or command."""

from __future__ import annotations

import re
import shlex

from ipt_explain.parsing.iptables.diagnosis.prefixes import RULE_START
from ipt_explain.parsing.pastes.carriers.margins import without_margin
from ipt_explain.patterns import lazy_pattern

_TIME = (
    r"(?:[A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d|\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d\S{0,40}|[IWEF]\d{4} \d\d:\d\d:\d\d"
    r"|\[ *\d+\.\d+\])"
)
_COMMAND = r"(?:\++ )?(?:/\S{1,200}/)?ip6?tables(?:-legacy|-nft)? "
_PREFIX = re.compile(
    rf"(?:(?:{_TIME}[^\"\n]{{0,200}}?|[\w.-]+ +\| ?|\[pod/[^\]\s]{{1,300}}\] )(?<=[ \]|])"
    rf"(?={RULE_START}|-[PNXF] |{_COMMAND})"
    rf"|\s*(?:\(\d{{1,6}}\)|[①-⑳]|\d{{1,6}}(?:[.):]| ?[|│])?)[ \t]+(?={RULE_START}|-[PNXF] ))"
)
_MARKED = re.compile(r"\s*(?:[-*•+] +)?(?:\*{1,3}|_{2,3}|`{1,2}|//+ ?)(?=-[AID] \S)|\s*[-*•+] +(?=-[AID] \S)")
_DOCKER = re.compile(r"""\s*\{"log": ?("(?:[^"\\]|\\.)*")""")
_ELEMENT = re.compile(r"""\s*("(?:[^"\\]|\\.)*"),?\s*\Z""")
_JSON = re.compile(r"""(?:[\w.-]+: \[[^\]]*\] => )?\s*(?:[{}\[\]]+,?|"(?:[^"\\]|\\.)*"(?:: .*|,?))\s*\Z""")
_CELL = re.compile(rf"\s*\|(?:[^|]{{0,40}}\|){{0,3}} *`?({RULE_START}[^|]*?)`? *\|(?:[^|]*\|)?\s*\Z")
_QUOTED = re.compile(r"""="(-[AID] (?:[^"\\]|\\.)*)"[^"]*\Z""")
_ARGUMENTS = re.compile(r"""\b(?:command|cmd)="(ip6?tables)" (?:arguments|args)=(\[.*\]|"(?:[^"\\]|\\.)*")""")
_DUMPED = lazy_pattern(rf"(?:{RULE_START}|-[PNXF] )[^\n]*\n?\Z")
_BARE = lazy_pattern(rf"{RULE_START}|-[PNXF] ")
_LONGEST = 4096
_NEEDS_MORE = ("\\", "```", "Warning: ")
"""What may continue a line, quote it, or say what the text lacks."""


def is_element(line: str) -> bool:
    """Whether a line is a string in a JSON list."""
    return _ELEMENT.match(line) is not None


def is_of_json(line: str) -> bool:
    """Whether a line may be part of JSON in which strings of a list are rules."""
    return len(line) <= _LONGEST and _JSON.match(line) is not None


def without_prefix(text: str) -> tuple[str, int] | None:
    """A dump without what a logger put before each of its lines, alike but for digits, and how many these are; None if
    any line has no such prefix, or needs more than that."""
    lines = text.removesuffix("\n").split("\n")
    prefix = _PREFIX.match(lines[0])
    if prefix is None or max(map(len, lines)) > _LONGEST or any(each in text for each in _NEEDS_MORE):
        return None
    bare = without_margin(prefix[0])
    inner: list[str] = []
    for line in lines:
        rest = bare(line)
        if rest is None or not _BARE.match(rest):
            return None
        inner.append(rest)
    return "\n".join(inner) + text[len(text.removesuffix("\n")) :], len(inner)


def unwrapped(line: str) -> str | None:
    """The line without the additions of a logger, a list or bold type; None if it has none."""
    if len(line) > _LONGEST:
        return None
    logged = _DOCKER.match(line) or _ELEMENT.match(line)  # ansible's `"stdout_lines": [` has such elements
    if logged is not None:
        return _unquoted(logged[1])
    if line.startswith("{") and line.endswith("}"):
        return _of_object(line)
    prefix = _PREFIX.match(line)
    if prefix is not None:
        return line[prefix.end() :]
    marked = _MARKED.match(line)
    if marked is not None:
        return line[marked.end() :].rstrip(" \t").rstrip("*_`")
    cell = _CELL.match(line)
    if cell is not None:
        return cell[1]
    quoted = _QUOTED.search(line)
    if quoted is not None:
        return re.sub(r"\\(.)", r"\1", quoted[1])
    called = _ARGUMENTS.search(line)
    return None if called is None else _call(*called.groups())


def _call(tool: str, arguments: str) -> str | None:
    """A call as klog prints it: a list of words (from Kubernetes 1.24 on) or one text."""
    if arguments.startswith('"'):
        text = _unquoted(arguments)
        return None if text is None else f"{tool} {text}"
    import json

    try:
        words = json.loads(arguments)
    except ValueError:
        return None
    return f"{tool} {shlex.join(map(str, words))}"


def _of_object(line: str) -> str | None:
    """The rule that a logger's JSON object has in one of its fields."""
    import json

    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    texts = [text.rstrip("\n") for text in fields.values() if isinstance(text, str) and _DUMPED.match(text)]
    return texts[0] if len(texts) == 1 else None


def _unquoted(text: str) -> str | None:
    import json

    try:
        return str(json.loads(text)).rstrip("\n")
    except ValueError:
        return None
