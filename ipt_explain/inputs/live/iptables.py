"""Running each iptables-save on the machine.

A kernel can hold two sets of rules for each family, one in the legacy interface and one in nf_tables, and a packet
passes both. Each has a tool of its own; plain `iptables-save` is one of the two, and `--version` says which
(iptables 1.8 and later print `(legacy)` or `(nf_tables)`; earlier releases knew only the legacy one).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ipt_explain.enums import Enum
from ipt_explain.inputs.live.output import ToolOutput
from ipt_explain.inputs.live.running import Refused, output_of
from ipt_explain.inputs.tools import TooLate, TooMuch, find_tool, run_tool
from ipt_explain.records import Record

_VERSION_TIMEOUT_SECONDS = 10.0
_LONGEST_VERSION = 1 << 12

# iptables-nft-save prints this if legacy rules exist, too, but here those are also read.
_OTHER_INTERFACE = re.compile(r"# Warning: ip6?tables-legacy tables present")


class _Interface(Enum):
    LEGACY = "legacy"
    NFT = "nf_tables"


class _Tool(Record):
    name: str
    path: str
    interface: _Interface


def read_iptables(output: ToolOutput, search_path: str, proc: Path, timeout: float) -> None:
    """Run every iptables-save, for both families and both interfaces, with counters."""
    for family in ("iptables", "ip6tables"):
        tools = list(_tools(family, search_path))
        if not tools:
            output.notes.append(f"{family}-save: not found on this machine")
        for tool in tools:
            try:
                text, warnings = _run(tool, _legacy_tables(proc, family), timeout)
            except Refused as refusal:
                if family == "ip6tables" and not refusal.needless and not (proc / "if_inet6").exists():
                    refusal = Refused(f"{refusal}; no rules are lost, as the kernel has no IPv6 here", needless=True)
                output.refused(tool.name, refusal)
                continue
            output.notes.extend(f"{tool.name}: {line}" for line in warnings)
            if text:
                output.add(tool.name, text, f"{tool.name} ({tool.interface.value})")
            else:
                output.notes.append(f"{tool.name}: there are no {tool.interface.value} tables")


def _tools(family: str, search_path: str) -> Iterator[_Tool]:
    """The machine's tool for each interface. The plain name is preferred, since people run that."""
    seen: set[_Interface] = set()
    for name in (f"{family}-save", f"{family}-legacy-save", f"{family}-nft-save"):
        path = find_tool(name, search_path)
        if path is None:
            continue
        interface = _interface(name, path)
        if interface not in seen:
            seen.add(interface)
            yield _Tool(name, path, interface)


def _interface(name: str, path: str) -> _Interface:
    if name.endswith("-nft-save"):
        return _Interface.NFT
    if name.endswith("-legacy-save"):
        return _Interface.LEGACY
    try:
        done = run_tool([path, "--version"], _VERSION_TIMEOUT_SECONDS, _LONGEST_VERSION)
    except (OSError, TooLate, TooMuch):
        return _Interface.LEGACY
    return _Interface.NFT if b"nf_tables" in done.output else _Interface.LEGACY


def _legacy_tables(proc: Path, family: str) -> Path:
    """The kernel's list of legacy tables in this network namespace."""
    return proc / ("ip_tables_names" if family == "iptables" else "ip6_tables_names")


def _run(tool: _Tool, legacy_tables: Path, timeout: float) -> tuple[str, list[str]]:
    """The tool's standard output and its warnings."""
    if tool.interface is _Interface.LEGACY:
        _require_tables(legacy_tables)
    text, warnings = output_of([tool.path, "-c"], timeout)
    return text, [line for line in warnings if not _OTHER_INTERFACE.match(line)]


def _require_tables(names: Path) -> None:
    """Refuse unless the kernel lists tables: the legacy tools would load kernel modules to look for some."""
    try:
        listed = names.read_bytes().split()
    except PermissionError:
        raise Refused(f"{names} cannot be read: permission denied", for_rights=True) from None
    except OSError:
        listed = []
    if not listed:
        raise Refused("not run, as the kernel has no legacy tables here", needless=True)
