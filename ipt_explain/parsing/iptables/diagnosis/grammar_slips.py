"""Lines that are nearly iptables-save syntax: old spellings, wrong case, broken or incomplete rules."""

from __future__ import annotations

import re

from ipt_explain.parsing.iptables.diagnosis.signs import LOOK, RUN_SAVE, Diagnosis, sign

_TABLES = "raw, mangle, nat, filter or security"
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"?|[^\s"]+', re.DOTALL)
_RULE = re.compile(r"(?:\[\d+:\d+\] )?-[AIDR] ")
_TARGETS = ("-j", "-g", "--jump", "--goto")
_VALUE_MAY_BE_AN_OPTION = ("--comment", "--log-prefix", "--nflog-prefix", "-i", "-o", "-m")
_CUT = "The line is incomplete: copy it whole."
_TABLE_FIRST = "Put the `*table` line back before the rules; for a fragment, give only the rule lines."
_TAIL = re.compile(r"(?:-[A-Za-z]|--[a-z][a-z0-9-]*|!|[A-Za-z0-9_./:-]+\"?)(?: |$)")

SIGNS = (
    sign(
        r"^(COMMIT)\s*$", "no table is open here", _TABLE_FIRST, "A `*table` line before the rules and their COMMIT."
    ),
    sign(
        r"(?i)^\s*(commit)\s*$",
        "`COMMIT` is written in capitals, alone on its line, without spaces around it",
        "Write COMMIT.",
        "COMMIT",
    ),
    sign(
        r"^(C|CO|COM|COMM|COMMI)$",
        "the text is cut off inside COMMIT",
        "The dump is incomplete: save it again.",
        "COMMIT",
    ),
    sign(
        r"^(\*\s+\w+)", "no space belongs between `*` and the table's name", "Remove it.", f"`*` and one of {_TABLES}."
    ),
    sign(r"^\*(broute)", "this is ebtables-save output; ebtables filters frames, not Services", RUN_SAVE),
    sign(
        r"^\*(?!(?:raw|mangle|nat|filter|security)\s*$)(.*)",
        "iptables has no such table",
        "Leave this table out, or skip it with `--lenient`.",
        f"One of {_TABLES}.",
    ),
    sign(
        r"^:\S+ +(?:[A-Z]+|-)\s+(?!\[\d{1,20}:\d{1,20}\]\s*$)(\S.*)$",
        "the chain's counters are not of the form [packets:bytes]",
        "Write `[0:0]`.",
        "[packets:bytes]",
    ),
    sign(
        r"^:\S+ +(?!(?:ACCEPT|DROP|-)(?:\s|$))(\S+)",
        "a chain's policy is ACCEPT or DROP, or - if the chain is not built in",
        "Write `-` for a chain that is not built in.",
        "ACCEPT, DROP or -",
    ),
    sign(
        r"^(:\S+) (?=(?:ACCEPT|DROP|-)(?: |$))",
        "a chain is declared outside of a table",
        _TABLE_FIRST,
        "A `*table` line before the chain.",
    ),
    sign(r"^(:\S*)\s*$", "the chain lacks its policy", _CUT, ":CHAIN POLICY [packets:bytes]"),
    sign(
        r"^(\[(?!\d{1,20}:\d{1,20}\])[^\]]*\])\s*-A",
        "the rule's counters are not of the form [packets:bytes]",
        "Remove them.",
        "[packets:bytes]",
    ),
    sign(r"^(-A)\s*$", "the rule lacks its chain", _CUT, "A chain's name."),
    sign(
        r"^(A [A-Z][\w-]+ (?:-[a-z]|!) )",
        "the hyphen in front of `A` is missing",
        _CUT,
        "-A",
    ),
    sign(
        r"^-[AINDRPX] *(-t \w+)",
        "`-t TABLE` belongs to iptables commands; dumps name the table in a line of its own",
        _TABLE_FIRST,
        "A `*table` line before the rules.",
    ),
)


def rule_slip(line: str) -> Diagnosis | None:
    """What is wrong inside a line that begins like a rule, judged by its words."""
    if _RULE.match(line) is None:
        return None
    before, target_seen = "", False
    for found in _WORD.finditer(line, 0, LOOK):
        word = found.group()
        if word in _TARGETS and before not in _VALUE_MAY_BE_AN_OPTION:
            if target_seen:
                return Diagnosis(
                    "the rule has a second target",
                    found.start() + 1,
                    len(word),
                    remedy="A rule has one -j or -g: these are two rules, or one pasted into another.",
                )
            target_seen = True
        slip = _slip(word, before, found.start() + 1)
        if slip is not None:
            return slip
        before = word
    return None


def _slip(word: str, before: str, column: int) -> Diagnosis | None:
    if word == "!" and before == "!":
        return Diagnosis("two negations in a row", column, expected="One ! in front of an option.")
    if word == "!" and before.startswith("-") and before not in _VALUE_MAY_BE_AN_OPTION:
        return Diagnosis(
            "the negation follows its option, as iptables before 1.4.3 wrote it",
            column,
            expected=f"! {before} VALUE",
            remedy=f"Write `! {before} VALUE`.",
        )
    if word.startswith("'"):
        return Diagnosis(
            "single quotes do not quote in iptables-save syntax",
            column,
            expected='A value in double quotes: "…".',
            remedy="Write double quotes.",
        )
    if word.startswith("#") and not before.startswith("-"):
        return Diagnosis(
            "a comment follows the rule; `#` starts one only at the start of a line",
            column,
            len(word),
            remedy="Put the comment on a line of its own.",
        )
    if word[0] == '"' and (len(word) == 1 or word[-1] != '"'):
        return Diagnosis("a quotation mark opens here and is never closed", column, remedy=_CUT)
    if word in ("...", "…"):
        return Diagnosis("part of the rule was left out here", column, len(word), remedy="Give the whole rule.")
    return None


def wrapped(line: str, previous: str) -> Diagnosis | None:
    """A rule that a terminal or mail program broke in two: this line is the rest of `previous`."""
    if _RULE.match(previous.lstrip()) is None or _RULE.match(line.lstrip()) is not None:
        return None
    text = line.lstrip()
    unfinished = previous.count('"', 0, LOOK) % 2 == 1 or " -j " not in previous
    if (text.startswith(("-j ", "-m ", "--", "-p ", "-d ", "-s ")) or unfinished) and _TAIL.match(text):
        start = len(line) - len(text)
        return Diagnosis(
            "this looks like the rest of the rule above, broken into two lines",
            start + 1,
            min(len(text), 20),
            expected="A rule on one line, or `\\` at the end of each line that continues.",
            remedy="Join the two lines; `iptables-save > FILE` does not break them.",
        )
    return None
