"""Commands that change rules, in scripts and `sh -x` traces: `iptables -t nat -I …` as the rule that it adds."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ipt_explain.parsing.pastes.commands import ToolCall, call_of, is_tool
from ipt_explain.words.quotes import in_quotes

_CHANGE = re.compile(r"ip6?tables(?:-legacy|-nft)?\s")
_LONGEST = 4096
"""iptables accepts 255 words; no rule is this long."""
_VARIABLE = re.compile(r"\$[\w{('\"@*#?!-]|`|\{\w+, ?\w+")
_SINGLE_QUOTED = re.compile(r"\\.|'[^']*'")
_UNCOMMENTED = re.compile(r"""(?:[^'"\\#]|\\.|'[^']*'|"(?:\\.|[^"\\])*"|(?<=\S)\#)*""")
_ESCAPED = re.compile(r"'[^']*'|\\([$`])")  # shlex leaves these alone within double quotes
_ENDS = frozenset(";|&<>()")
_CHANGES = re.compile(r"\s(?:-[AIDR]|--(?:append|insert|delete|replace))[\s=]\s*[\w${\"']")
_OTHER_COMMAND = re.compile(
    r"\s*(?:\++ |[\w.@:~-]{0,100} ?[#$] |if |! |while |until |sudo ){0,4}(?:/\S{1,200}/)?ip6?tables(?:-legacy|-nft)?\s+"
    r"(?:-\w+\s+(?:[^-\s]\S*\s+)?)*?"
    r"(?:-[CFPNXZE]|--(?:check|flush|policy|new-chain|delete-chain|zero|rename-chain))\b"
)
_TOLD = re.compile(r"\brunning:? ip6?tables[^\[\n]{0,200}\[-?[\w-]")
_SHELL = re.compile(
    r"\s*(?:(?:fi|done|esac|else|then|do|[{};]|;;|exit \d+|set [-+]\w+|\w+\(\) *\{?)\s*(?:[;|&].*)?"
    r"|(?:if|elif|while|until|for|case|local|export|readonly|echo|printf|sleep|modprobe|sysctl|function) .*)\Z"
)
_CALLED_BY_VARIABLE = re.compile(r"\s*(?:\++ |sudo )?\"?\$\{?\w+\}?\"?\s")
_BARE = re.compile(r"\s*-t (?:raw|mangle|nat|filter|security) -[AI] ")
_NEEDS_QUOTES = re.compile(r"[^\w.,:/%@+=!~^*?\[\]{}()<>&;#-]")
# Abbreviated options that iptables' getopt_long accepts, as many scripts use them.
_SHORT = {
    "DNAT": {"--to": "--to-destination"},
    "SNAT": {"--to": "--to-source"},
    "REDIRECT": {"--to": "--to-ports", "--to-port": "--to-ports"},
    "MASQUERADE": {"--to": "--to-ports", "--to-port": "--to-ports"},
}
_COMMANDS = {"--append": "-A", "--insert": "-I", "--delete": "-D", "--replace": "-R"}


class UnreadableCommand(Exception):
    """A command whose words only the shell knows."""


def continued(lines: Sequence[str], place: int) -> tuple[str, int]:
    """A line joined with its continuation lines as by sh, and the number of lines."""
    text, count = lines[place], 0
    while text.endswith("\\") and not text.endswith("\\\\") and place + count + 1 < len(lines):
        count += 1
        text = text[:-1] + lines[place + count]
    return text, count


def has_change(line: str) -> bool:
    """Whether a line calls iptables to change rules."""
    found = _CHANGE.search(line)
    return found is not None and _CHANGES.search(line, found.start()) is not None


def is_command(line: str) -> bool:
    """Whether a line is a call of iptables that changes something, or checks whether a rule exists."""
    return has_change(line) or changes_no_rule(line)


def changes_no_rule(line: str) -> bool:
    """Whether a line calls iptables for something else, such as to check whether a rule exists; or shows a call that
    has lost its quotes."""
    return len(line) <= _LONGEST and (_OTHER_COMMAND.match(line) is not None or _TOLD.search(line) is not None)


def is_of_shell(line: str) -> bool:
    """Whether a line of a script is shell syntax."""
    return len(line) <= _LONGEST and _SHELL.match(line) is not None


def changing_commands(line: str) -> list[tuple[ToolCall, str]]:
    """The commands in a line that append, insert, replace or delete a rule, each with the rule in the form of
    iptables-restore. Raises UnreadableCommand if one has variables, or unclosed quotes."""
    if _BARE.match(line):
        line = f"iptables {line}"
    if _CALLED_BY_VARIABLE.match(line) and _CHANGES.search(line):
        raise UnreadableCommand
    found = _CHANGE.search(line) if len(line) <= _LONGEST else None
    text = "" if found is None else line[found.start() :]
    if not _CHANGES.search(text):
        return []
    if _VARIABLE.search(_SINGLE_QUOTED.sub("", text)):
        raise UnreadableCommand
    try:
        simple = list(_simple_commands(text))
    except ValueError:
        raise UnreadableCommand from None
    changes: list[tuple[ToolCall, str]] = []
    for words in simple:
        command = call_of(words)
        if command is not None and _changes(command):
            changes.append((command, " ".join(map(_quoted, _rule_words(words)))))
    return changes


def _changes(command: ToolCall | None) -> bool:
    return command is not None and command.action in ("A", "I", "D", "R") and command.chain is not None


def _simple_commands(text: str) -> Iterator[list[str]]:
    """The words of each call of iptables in a line, its name first, split as by sh. Raises ValueError for an unclosed
    quote."""
    uncommented = _UNCOMMENTED.match(text)
    end = 0 if uncommented is None else uncommented.end()
    if text[end : end + 1] not in ("", "#"):
        raise ValueError("a quote is never closed")
    text = _ESCAPED.sub(lambda found: found[1] or found[0], text[:end])
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";|&<>()")
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    redirected = False
    for word in lexer:
        if word and _ENDS.issuperset(word):
            redirected = word[0] in "<>"
            if redirected and words and words[-1].isdecimal():
                words.pop()  # the redirected descriptor, as in 2>/dev/null
            if not redirected:
                yield words
                words = []
        elif redirected:
            redirected = False
        else:
            words.append(word)
    yield words


def _rule_words(words: list[str]) -> list[str]:
    kept: list[str] = []
    index = 1 + next(index for index, word in enumerate(words) if is_tool(word))
    while index < len(words):
        word = words[index]
        if word in ("-t", "--table", "-W", "--wait-interval", "--modprobe", "-M"):
            index += 2
            continue
        if word in ("-w", "--wait"):
            index += 2 if index + 1 < len(words) and words[index + 1].isdecimal() else 1
            continue
        if not re.match(r"-t\w|--table=|--wait=|-(?:n|v|4|6)\Z|--verbose\Z|--numeric\Z", word):
            kept.append(_COMMANDS.get(word, word))
        index += 1
    target = next((after for before, after in pairwise(kept) if before in ("-j", "--jump")), "")
    names = _SHORT.get(target, {})
    kept = [names.get(word, word) for word in kept]
    for place, word in enumerate(kept):
        if word in ("-A", "-I", "-D", "-R") and place:
            # iptables-restore wants the command first, with its chain and number.
            end = place + 2
            if word in ("-I", "-D", "-R") and end < len(kept) and kept[end].isdecimal():
                end += 1
            return kept[place:end] + kept[:place] + kept[end:]
    return kept


def _quoted(word: str) -> str:
    if word and not _NEEDS_QUOTES.search(word):
        return word
    return in_quotes(word)
