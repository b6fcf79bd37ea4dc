"""Messages about lines of ipvsadm, ipset or `ip addr` that cannot be read."""

from __future__ import annotations

import re

from ipt_explain.errors import Diagnostic
from ipt_explain.model.dump import SourceText
from ipt_explain.parsing.ipvs.signs import Tool
from ipt_explain.parsing.line_forms import MAX_LINE, Refusal
from ipt_explain.words import either

_MAX_SHOWN = 40
_WORD = re.compile(r"[^ \t\n]+")

_TERMINALS = {
    "ADDRESS": "an address",
    "ADD_SERVER": "-a",
    "ADD_SERVICE": "-A",
    "COUNT": "a number",
    "FAMILY": "inet or inet6",
    "FORWARDING": "Masq, Route, Tunnel or Local",
    "FWMARK": "a firewall mark",
    "MASK": "a netmask",
    "NUMBER": "a number",
    "REAL_SERVER": "-r",
    "SCHEDULER": "a scheduler",
    "SCHEDULER_OPTION": "-s",
    "SECONDS": "a number of seconds",
    "SERVER": "an address and a port in numbers",
    "SERVICE": "a port",
    "SET": "a set's name",
    "STATE": "the interface's state",
    "TEXT": "text in double quotes",
    "TYPE": "a set's type, as hash:ip,port",
    "VIRTUAL": "an address and a port in numbers",
    "WEIGHT": "a weight",
    "WEIGHT_OPTION": "-w",
}
_REMEDIES = {
    Tool.IPVSADM: "Give what `ipvsadm-save -n` or `ipvsadm -Ln` prints (with -n), or skip such lines with `--lenient`.",
    Tool.IPSET: "Give what `ipset save` or `ipset list` prints, or skip such lines with `--lenient`.",
    Tool.IP_ADDR: "Give what `ip addr` prints, or skip such lines with `--lenient`.",
}


def diagnostic_of(error: Refusal | ValueError, tool: Tool, source: SourceText, number: int, line: str) -> Diagnostic:
    """Why line `number` of `tool` cannot be read: the grammar refuses it, or a word in it is invalid."""
    if not isinstance(error, Refusal):
        message, expected = str(error), ""
        word = message.split(" ", 1)[0]
        column = line.find(word) + 1
    elif len(line) > MAX_LINE:
        message, expected = f"a line of more than {MAX_LINE:,} characters, which no tool prints", ""
        word, column = "", 1
    else:
        column, expected = error.column, _expectation(error.expected)
        found = _WORD.match(line, column - 1)
        word = "" if found is None else found[0]
        message = f"`{_shown(word)}` is unexpected in a line of {_name(tool)}" if word else "the line ends too early"
    return Diagnostic(
        source.name,
        number,
        max(1, column),
        message,
        source.line(number),
        max(1, len(word)) if column else 1,
        expected,
        _REMEDIES[tool],
    )


def _shown(word: str) -> str:
    return word if len(word) <= _MAX_SHOWN else word[:_MAX_SHOWN] + "…"


def _name(tool: Tool) -> str:
    return "`ip addr`" if tool is Tool.IP_ADDR else tool.value


def _expectation(terminals: frozenset[str]) -> str:
    words = sorted({_TERMINALS[each] for each in terminals if each in _TERMINALS})
    if not words:
        return ""
    if len(words) > 4:
        words = [*words[:3], "others"]
    text = either(words)
    return f"{text[:1].upper()}{text[1:]}."
