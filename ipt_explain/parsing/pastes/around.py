"""Recognising text around rules in a paste: prose, headings, prompts with commands, other tools' output.

A line with any trace of a rule never counts: it may be a damaged rule.
"""

from __future__ import annotations

import re

from ipt_explain.parsing.iptables.diagnosis import encoding, nft
from ipt_explain.parsing.iptables.diagnosis.signs import LOOK, first_sign
from ipt_explain.patterns import lazy_pattern

_TRACE = re.compile(
    r"(?:^|\s)(?:-[AIDRNPXjgm]\s+[A-Za-z0-9_\"'-]|--(?:comment|jump|match|dports?|sports?|to-[a-z]+|probability|set-x?mark|"
    r"ctstate|state|mark|rcheck|(?:src|dst)-type|match-set|reject-with|source|destination|protocol)\b)|\[unsupported"
)
_ROW = re.compile(r"(?:^|\s)(?:all|tcp|udp|sctp|icmp|\d{1,3})\s+(?:--|-f|!f)\s+\S")
_REFUSED = re.compile(
    r"^(?:@@ |\+\+\+|--- ?\S(?!.* ---\s*\Z)|diff -|index [0-9a-f]{7}|[+<>-] ?(?:-[A-Z] |:\S+ |\*\w)"
    r"|[+-][ \t]*(?:-> +\S+:\d|(?:TCP|UDP|SCTP) +\S+:\d)"
    r"|\s*[{}\[\]]\s*$|\s*\"[\w./-]+\":)"
    r"|</?(?:span|code|pre|div|p|br|a|li|td|tr|table|body|html)\b"
    r"|ip6?tables(?:-legacy|-nft)?-restore\s*(?:-\S+\s*)*(?:<|\Z)|<<-?\s*['\"]?\w"
)
_PROMPT = re.compile(
    r"\s*(?:/ ?#|[#$%])\s*\Z"
    r"|\s*`{1,2}(?:sudo )?ip6?tables\S*(?: -\S.{0,80})?\s*\Z"  # the code that it opens has lines of rules below
    r"|\s*(?:\[[^\]\s]+(?: [^\]]*)?\] ?[#$%]|[\w.-]+@[\w.:~/-]+[^#$%\n]{0,80}[#$%]|[\w./-]+:[\w/~.-]+[#$]"
    r"|[#$%>]|/ ?#|\++)\s+\S"
)
_COMMAND = re.compile(
    r"\s*(?:sudo |kubectl |docker |crictl |nerdctl |podman |oc |curl |ssh |cat |z?e?grep |systemctl |journalctl |ip |"
    r"ipvsadm |ipset |conntrack |nft list |ip6?tables\S* |nsenter |minikube |kind |ping |dig |nslookup |for |while |"
    r"done\b|exit\s*\Z|logout\s*\Z)"
)
_SETTING = re.compile(r"\s*(?:export )?[A-Za-z_][A-Za-z0-9_]*=\S*\s*\Z")
_RULER = re.compile(r"(?!--\Z)[^\w.…()\[\]]+\Z")
_HEADING = re.compile(
    r"\s*(?:#{1,6} |\S[^|]*[:：]\s*\Z|https?://\S+\s*\Z|`[^`]+`\s*\Z|\*{1,3}[^*\s][^*]*\*{1,3}:?\s*\Z|[A-Za-z]+[?!]+\s*\Z|[A-Z][a-z]+[,.]?\s*\Z|!?\[[^\]]*\]\(\S+\)\s*\Z"
    r"|\"[^\"]*\"(?:,\"[^\"]*\")+\s*\Z|\)\s*\Z)"
)
_OF_PAGE = lazy_pattern(r"\s*<(?:/?(?:html|head|body|style|script|title)\b|!DOCTYPE )[^<>]*>\s*\Z", re.IGNORECASE)
_NAME = lazy_pattern(
    r"\s*(?:[\w.-]+@[\w.-]*|/?(?:[\w.@~-]+/)+[\w.-]+\.[a-z]{1,5}(?::\d+)?|(?=[a-z-]*[\d.-])[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*:?)\s*\Z"
)
_NUMBER = lazy_pattern(r"\s*\d{1,6}[.):]?\s*\Z")
_TABLE_NAME = lazy_pattern(r"\s*table (?:ip6?|inet|arp|bridge|netdev) \S+\s*\Z")
_CODE = lazy_pattern(r"(`{1,3})[^`]+\1")


def is_row(line: str) -> bool:
    """Whether a line looks like a rule in a listing."""
    return _ROW.search(line, 0, LOOK) is not None


def is_name(line: str) -> bool:
    """Whether a line is only a host's name (not of letters alone), the beginning of a prompt, or a file's path."""
    return len(line) <= LOOK and _NAME.match(line) is not None


def is_number(line: str) -> bool:
    """Whether a line is but a number, as of an item of a list."""
    return len(line) <= LOOK and _NUMBER.match(line) is not None


def is_table_name(line: str) -> bool:
    """Whether `nft list tables` prints such a line."""
    return _TABLE_NAME.match(line) is not None


def quotes_rule(line: str) -> bool:
    """Whether a line is a sentence with a rule in it, marked as code."""
    if "`" not in line or len(line) > LOOK or _TRACE.search(line) is None:
        return False
    around = _CODE.sub(" ", line)
    return around != line and len(around.split()) > 1 and is_around(around)


def is_around(line: str) -> bool:
    """Whether a line is not part of a dump and hides no rule."""
    if len(line) <= LOOK and _OF_PAGE.match(line):
        return True
    if len(line) > LOOK or _REFUSED.search(line) or _ROW.search(line):
        return False
    if first_sign(encoding.SIGNS, line) or first_sign(nft.SIGNS, line):
        return False
    if _PROMPT.match(line) or _COMMAND.match(line):
        return True
    if _TRACE.search(line):
        return False
    bare = line.strip()
    several = len(bare.split(None, 2)) > 1 or any(ord(character) > 0x2FF for character in bare)
    return several or bool(_HEADING.match(line) or _SETTING.match(line) or (_RULER.match(bare) and bare[0] not in "*:"))
