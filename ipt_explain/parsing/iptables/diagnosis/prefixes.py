"""What programs put in front of a rule: `diff`, mail, `grep`, `cat -n`, loggers."""

from __future__ import annotations

import re

from ipt_explain.parsing.iptables.diagnosis.signs import sign

RULE_START = (
    r"(?:\[\d+:\d+\] )?(?:-[AINPXDR] [^\s-]|:\S{1,256} (?:ACCEPT|DROP|-)(?: |$)|"
    r"\*(?:raw|mangle|nat|filter|security)\b|COMMIT\b|# (?:Generated|Completed) )"
)
"""How the lines of a dump begin."""
RULE_ANYWHERE = re.compile(rf"(?:^|\s){RULE_START}|\s-[jg] \S")
"""What a line has that may hold a rule."""

_TIME = r"(?:[A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*|[IWEF]\d{4} \d\d:\d\d:\d\d)"
DIFF = "this comes from a diff: the mark in front of a rule says which of two dumps had it"
_DIFF_REMEDY = "Give both dumps whole: `ipt-explain compare BEFORE AFTER`."
_LOG = "a log's prefix comes before the rule"
_LOG_REMEDY = "Cut it off, for instance `sed 's/^.*\\]: //'`, and check that no other program's lines are left."

SIGNS = (
    sign(r"^(@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@)", DIFF, _DIFF_REMEDY),
    sign(r"^(---|\+\+\+) (?:[ab]/)?\S", DIFF, _DIFF_REMEDY),
    sign(r"^(\d+(?:,\d+)?[acd]\d+(?:,\d+)?)\s*$", DIFF, _DIFF_REMEDY),
    sign(r"^(diff -|index [0-9a-f]{7,})", DIFF, _DIFF_REMEDY),
    sign(rf"^([+<-]) ?{RULE_START}", DIFF, _DIFF_REMEDY),
    sign(
        r"^([+-])[ \t]*(?:table (?:ip6?|inet) \S+ \{|(?:chain|map|set) \S+ \{|Chain \S+ \(|(?:TCP|UDP|SCTP) +\S+:\d|"
        r"-> +\S+:\d|-[Aa] -[tuf] \S|create \S+ (?:hash|bitmap|list):)",
        DIFF,
        _DIFF_REMEDY,
    ),
    sign(rf"^(>) {RULE_START}", "a quote mark comes before the rule", "Remove it: `sed 's/^> \\{{0,1\\}}//'`."),
    sign(
        rf"^(\S+?[:-](?:\d+[:-])?) ?{RULE_START}",
        "a file name or line number of `grep` comes before the rule",
        "Run `grep -h` without `-n`, and give one node's dump at a time.",
    ),
    sign(
        rf"^(\s*\d+[.:)]?)\s+{RULE_START}",
        "a line number or count comes before the rule",
        "Remove it, for instance `sed 's/^ *[0-9]* *//'`.",
    ),
    sign(rf"^(\s*[│|])\s*{RULE_START}", "a column mark comes before the rule", "Remove it."),
    sign(
        rf"^({_TIME}[^\"]*?) {RULE_START}",
        _LOG,
        _LOG_REMEDY,
    ),
    sign(
        rf"^({_TIME}\S*|(?:time|ts|level|msg)=\S*)",
        "this is a line of a log",
        "Give the rules alone, as `iptables-save` prints them.",
    ),
)
