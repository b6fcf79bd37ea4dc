"""`--live`: runs every tool of the machine that shows what happens to packets, once each."""

from __future__ import annotations

import os
from pathlib import Path

from ipt_explain.errors import UsageError
from ipt_explain.inputs.files import InputText
from ipt_explain.inputs.live.iptables import read_iptables
from ipt_explain.inputs.live.nft import read_nft
from ipt_explain.inputs.live.node_tools import read_node_tools
from ipt_explain.inputs.live.output import Failure, ToolOutput
from ipt_explain.records import Record

PROC = Path("/proc/net")

TIMEOUT_SECONDS = 120.0
"""How long a tool may take: iptables-nft-save needs about a minute for 100,000 rules."""

# Folders of these tools that some systems leave out of an ordinary user's PATH.
_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


class LiveRules(Record):
    """The tools' output, named by tool, notes on what was run or skipped, and the tools whose rules are unknown as they
    failed."""

    inputs: tuple[InputText, ...]
    notes: tuple[str, ...]
    failed: tuple[Failure, ...] = ()


def read_live(search_path: str | None = None, proc: Path = PROC, timeout: float = TIMEOUT_SECONDS) -> LiveRules:
    """Run every iptables-save of the machine, for both families and both interfaces, with counters; then nft, ipset,
    ipvsadm and ip, if they can add to that.

    `search_path` is where to look for tools (default: PATH and the system's folders), `timeout` is in seconds for each
    tool. Raises UsageError if none could be run, or none printed rules.
    """
    if search_path is None:
        search_path = os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM_FOLDERS))
    output = ToolOutput()
    read_iptables(output, search_path, proc, timeout)
    read_nft(output, search_path, timeout)
    if not output.inputs:
        raise UsageError(_nothing_read(output))
    read_node_tools(output, search_path, proc, timeout)
    return LiveRules(tuple(output.inputs), ("read " + ", ".join(output.ran), *output.notes), tuple(output.failed))


def _nothing_read(output: ToolOutput) -> str:
    if output.lacks_rights:
        reason = "--live needs permission to read the node's rules: run it as root (sudo), or with CAP_NET_ADMIN"
    elif output.failed:
        reason = "--live could not read the rules:"
    else:
        reason = "--live found no rules: is this the node's own network namespace, and is iptables installed?"
    return "\n  ".join((reason, *(f"{each.name}: {each.reason}" for each in output.failed), *output.notes))
