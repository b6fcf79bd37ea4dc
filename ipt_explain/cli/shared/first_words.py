"""First words that name neither a command nor a file, and what the user probably meant."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Sequence

_MEANT = {
    "audit": "lint check validate verify test scan doctor diagnose problems",
    "compare BEFORE AFTER": "diff cmp delta",
    "compare --nodes": "nodes fleet cluster",
    "trace --from IP --to IP:PORT": "follow route path packet simulate probe ping",
    "show": "chain chains rule describe cat print",
    "graph": "draw plot dot svg mermaid diagram",
    "rules": "catalogue catalog list-rules codes",
    "explain": "services service svc list ls get tree",
    "report": "html ticket",
    "schema": "schemas jsonschema",
    "help": "man docs doc usage info topics manual",
    "completion": "completions complete bash zsh fish",
}
_COMMAND_LINES = {word: line for line, words in _MEANT.items() for word in words.split()}

_RULE = re.compile(r"IPT\d{1,3}\Z", re.IGNORECASE)
_CHAIN = re.compile(r"(KUBE|CALI|cali|FLANNEL|DOCKER|CNI)-\S+\Z")
_LABEL = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_SERVICE = re.compile(rf"({_LABEL}/)?{_LABEL}(:[\w-]+)?\Z")


def meant_by(word: str, others: Sequence[str], commands: Iterable[str]) -> str | None:
    """A sentence for a first word that is neither command nor file; None if it may be a path that does not exist.

    `others` are the rest of the command line, for use in the suggestion.
    """
    if word in _COMMAND_LINES:
        return f"there is no command {word!r}. Try: ipt-explain {_COMMAND_LINES[word]}"
    rest = f" {shlex.join(others)}" if others else " node.txt"
    host = word.strip("[]") if _is_address(word.strip("[]")) else word.rpartition(":")[0].strip("[]")
    if _is_address(host):
        return f"{word!r} is an address. To see the Services there: ipt-explain --address {host}{rest}"
    if _RULE.match(word):
        return f"{word!r} is a rule of the audit. Its page: ipt-explain rules {word.upper()}"
    if _CHAIN.match(word):
        return f"there is no file {word!r}. To see the chain of that name: ipt-explain show {word}{rest}"
    alike = difflib.get_close_matches(word, list(commands), 1, cutoff=0.75)
    if alike:
        return f"there is no command and no file {word!r}. Did you mean {alike[0]}?"
    if _SERVICE.match(word):
        return f"there is no file {word!r}. To see the Service of that name: ipt-explain -s {word}{rest}"
    return None


def _is_address(text: str) -> bool:
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True
