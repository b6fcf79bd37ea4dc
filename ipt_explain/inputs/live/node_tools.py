"""Running ipset, ipvsadm and ip, whose facts rules depend on, unless they would only load a kernel module."""

from __future__ import annotations

import re
from pathlib import Path

from ipt_explain.inputs.live.output import ToolOutput
from ipt_explain.inputs.live.running import Refused, output_of
from ipt_explain.inputs.tools import find_tool

_NAMES_A_SET = re.compile(r"^-A [^\n]* --(?:match-set|add-set|map-set) ", re.MULTILINE)


def read_node_tools(output: ToolOutput, search_path: str, proc: Path, timeout: float) -> None:
    """Read sets if rules name some, virtual servers if the kernel has IPVS, and addresses."""
    if any(_NAMES_A_SET.search(given.text) for given in output.inputs):
        _ask(output, ("ipset", "save"), "the rules name IP sets", search_path, timeout)
    servers = proc / "ip_vs"
    if servers.exists():
        saved = find_tool("ipvsadm", search_path) is not None
        if not saved or not _ask(output, ("ipvsadm", "-Sn"), "", search_path, timeout):
            _read(output, servers)
    _ask(output, ("ip", "addr"), "", search_path, timeout)


def _read(output: ToolOutput, file: Path) -> None:
    """Read the kernel's own file if no tool printed anything: its heading proves that there are no virtual servers."""
    try:
        output.add(str(file), file.read_text("ascii", "replace"))
    except OSError as error:
        output.notes.append(f"{file} cannot be read: {error.strerror}")


def _ask(output: ToolOutput, command: tuple[str, ...], reason: str, search_path: str, timeout: float) -> bool:
    """Run one tool and return whether it printed anything. `reason` says what is lost without it, "" for nothing."""
    name, *arguments = command
    path = find_tool(name, search_path)
    if path is None:
        if reason:
            output.notes.append(f"{name}: not found on this machine, though {reason}")
        return False
    try:
        text, warnings = output_of([path, *arguments], timeout)
    except Refused as refusal:
        output.notes.append(f"{name}: {refusal}")
        return False
    output.notes.extend(f"{name}: {line}" for line in warnings)
    if text.strip():
        output.add(name, text)
        return True
    if reason:
        output.notes.append(f"{name}: it shows nothing, though {reason}")
    return False
