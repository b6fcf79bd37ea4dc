"""Shell: commands, scripts and prompts."""

from __future__ import annotations

import re

from ipt_explain.parsing.iptables.diagnosis.signs import sign

_TOOL = r"(?:/\S{0,200}/)?ip6?tables(?:-legacy|-nft)?"
_VARIABLE = r"\$\{?\w*(?:IPT|ipt)\w*\}?"
_PROMPT = r"(?:\[[^\]\s]+(?: [^\]]*)?\] ?[#$%] ?|[\w.-]+@[\w.-]+[^#$%\n]{0,80}[#$%] ?|[\w./-]+:[\w/~.-]+[#$] |[#$%>] )"
_COMMAND = "this is an `iptables` command, not the output of iptables-save"
_COMMAND_REMEDY = (
    "Run `iptables-save` on the node where the command ran; a command alone does not tell which rules come before it."
)

_ELSEWHERE = r"(?:kubectl|docker|crictl|podman|nerdctl|ip netns|nsenter|ssh|minikube) [^|;&]*?"
_CHANGES = r"(?:-[AIDRXNPFEZ]\b|--(?:append|insert|delete|flush))"

_NODE_PROMPT = r"(?:\[[^\]\s]+@[^\]]+\] ?[#$%]|[\w.-]+@[\w.-]+:[^#$%\s]*[#$%]|[\w./-]+:[\w/~.-]+[#$]|\$)"
_LOOKS = r"(?:cat|z?e?grep|zcat|less|head|tail|ssh|cd|ls|hostname|uname|date)"
# Other tools of the node whose output is read along with rules.
_NODE_TOOL = (
    r"(?:ipset +(?:save|list|-[SL])|ipvsadm-save|ipvsadm +(?:-\w*[SLl]\w*|--(?:save|list))|nft +(?:-\S+ +)*list)\b.*|"
    r"ip +(?:-\S+ +)*a(?:ddr(?:ess)?)?(?: +(?:show|list|ls|dev))*(?: +[\w.-]+)? *"
)

PRINTING_COMMAND = re.compile(
    rf"^\s*(?:{_NODE_PROMPT} *(?:sudo +)?{_LOOKS}\b(?!.*iptables ).*$|"
    rf"(?:{_PROMPT}\s*)?(?:sudo +(?:-\w+ +)*)?(?:{_ELSEWHERE})?"
    rf"(?:{_TOOL}s?(?:-save\b| +(?!.*{_CHANGES}).*(?:-[nvx]*[SL][nvx]*\b|--list(?:-rules)?\b)).*|{_NODE_TOOL})$)"
)
"""A line that runs a command which only prints rules: the heading of a paste."""

BARE_PROMPT = re.compile(r"^\s*(?:\[[^\]\s]+@[^\]]+\] ?[#$%]|[\w.-]+@[\w.-]+:[^#$%\s]*[#$%])\s*$")
"""A prompt that waits: the end of a paste."""

NAMED_FAILURE = re.compile(r"^ip6?tables(?:-legacy|-nft)?-save(?: v[\d.]+(?: \([a-z_]+\))?)?: .*$")
"""What iptables-save says on standard error instead of printing rules."""

FAILURE = re.compile(
    r"^(?:Operation not permitted \(you must be root\)|netlink: Error: cache initialization failed: .*)$"
)
"""The same of nft, which does not name itself."""

DEBUGGING_POD = re.compile(
    r"^(?:Creating debugging pod \S+ with container \S+ on node \S+|Defaulted container .*|"
    r"If you don't see a command prompt, try pressing enter|All commands and output from this session .*)\.?\s*$"
)
"""What kubectl says in front of the output of the command that it runs."""

SIGNS = (
    sign(
        r"^(#!)", "this is a script, not iptables-save output", "Run `iptables-save` on the node where the script ran."
    ),
    sign(
        rf"^\s*(?:{_PROMPT}\s*)?(?:sudo +(?:-\w+ +)*)?(\"?{_VARIABLE}\"?|{_TOOL})\s+.*-[-\w]", _COMMAND, _COMMAND_REMEDY
    ),
    sign(
        rf"^\s*(?:sudo +)?({_TOOL}-restore\b|cat\s*<<|<<-?\s*['\"]?\w+)",
        "this is a shell command that feeds rules to iptables",
        "Give the text between `<<EOF` and `EOF` alone.",
    ),
    sign(r"^(EOF|EOT|_EOF_)\s*$", "this ends a shell here-document", "Give the text between `<<EOF` and `EOF` alone."),
    sign(
        rf"^\s*({_PROMPT}\s*(?:sudo +)?[\w./-]+)",
        "this is a command typed at a shell prompt",
        "Remove the line, or skip it with `--lenient`.",
    ),
    sign(
        r"^\s*((?:sudo +)?(?:kubectl|docker|crictl|systemctl|grep|cat|ssh|diff|curl|ip (?:addr|route|link)) \S)",
        "this is a shell command",
        "Remove the line, or skip it with `--lenient`.",
    ),
    sign(r"^\s*(?:(?:ba|da|z)?sh(?:-[\d.]+)?)?([#$%]|#\$)\s*$", "this is an empty shell prompt", "Remove the line."),
)
